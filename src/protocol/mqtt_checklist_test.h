/* mqtt_checklist_test: the form in which the lines of the checklist (what brokers get wrong) are
 * written as tests: bytes in, bytes out, time moves.
 *
 * A script has a line for each step. A … D are clients:
 *
 *     A> 30[ 't' {} "x" ]    sends (tests/support/mqtt_bytes.h); connects first if it has to
 *     A< 30[ 't' {} "x" ]    exactly these bytes come next
 *     A< ok, A< ok 1         a CONNACK lets it in, without or with a session
 *     A~ TEXT                a packet comes next whose text (mqtt_text.h) has this in it
 *     A.                     nothing has come, and the connection is open
 *     A|                     nothing more has come, and the broker has closed
 *     A-                     it is gone without a word
 *     wait 1500              milliseconds pass
 *     hold, release          the disk's sync waits, and is let go
 *     kill, power            the broker is killed, or loses its power, and starts again; all
 *                            connections with it
 *
 * The name begins with the lines that it is about: "checklist 7, 11: …". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct check {
    const char *name, *script;
    /* Limits of the broker that differ; 0: as ever. */
    uint16_t receive_max, keep_alive_max_s;
    uint32_t packet_size_max, session_expiry_max_s;
    bool durable; /* with a journal and a database */
    bool reduced; /* what can be left out is left out */
};
struct checks {
    const struct check *v;
    unsigned n;
};
extern const struct checks mqtt_checks_connect, mqtt_checks_session, mqtt_checks_publish,
    mqtt_checks_subscribe;

/* CONNECT: 5.0 and 3.1.1, clean and kept. `more` are further bytes behind the client id. */
#define V5(id)      "10[ 'MQTT' 05 02 0000 {} '" id "' ]\n"
#define V5_KEEP(id) "10[ 'MQTT' 05 00 0000 {11 FFFFFFFF} '" id "' ]\n"
#define V4(id)      "10[ 'MQTT' 04 02 0000 '" id "' ]\n"
#define V4_KEEP(id) "10[ 'MQTT' 04 00 0000 '" id "' ]\n"
#define V3(id)      "10[ 'MQIsdp' 03 02 0000 '" id "' ]\n"

#define IN5(c, id) c "> " V5(id) c "< ok\n"
#define IN4(c, id) c "> " V4(id) c "< ok\n"
/* It subscribes, and is granted that. */
#define SUB5(c, filter, qos)                                                                       \
    c "> 82[ 0001 {} '" filter "' " qos " ]\n" c "< 90[ 0001 {} " qos " ]\n"
#define SUB4(c, filter, qos) c "> 82[ 0001 '" filter "' " qos " ]\n" c "< 90[ 0001 " qos " ]\n"
