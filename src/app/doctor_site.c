#include "app/doctor_site.h"
#include "host/service.h"

static void take(struct doctor_listen *l, const char *folder, const char *word,
                 const struct site_listen *from)
{
    const struct {
        struct str said;
        char *to;
    } files[] = {{from->cert, l->cert},
                 {from->key, l->key},
                 {from->ca, l->ca},
                 {from->passwords, l->passwords}};
    *l = (struct doctor_listen){
        .word = from->websocket ? "websocket" : word, .addr = from->addr, .tls = from->tls};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (files[i].said.n && service_path(files[i].to, DOCTOR_TEXT, folder, files[i].said, NULL))
            files[i].to[0] = '\0';
}

size_t doctor_site_listens(struct doctor_listen out[DOCTOR_LISTENS_MAX], const char *folder,
                           const struct site_settings *settings)
{
    size_t n = 0;
    for (size_t i = 0; i < settings->mqtt_count; i++)
        take(&out[n++], folder, "mqtt", &settings->mqtt[i]);
    for (size_t i = 0; i < settings->http_count; i++)
        take(&out[n++], folder, "http", &settings->http[i]);
    return n;
}
