/* Any bytes as what three MQTT clients do to a whole broker in a simulated world; the model of
 * correct clients (tests/support/mqtt_model.h) says what must hold. SEDGE_MODEL_TRACE=1 shows the
 * steps of one input. */
#include "base/log.h"
#include "protocol/mqtt_server.h"
#include "tests/support/mqtt_model_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    log_set_sink(nowhere, NULL);
    mqtt_model_play(data, size);
    return 0;
}
