/* Checklist 7 to 11, 14, 15 and 37: sessions, wills, what is sent again, and what is acknowledged.
 */
#include "protocol/mqtt_checklist_test.h"

/* A will at `w`, a session that lasts `expiry`, a delay of `delay` seconds: both as hex. */
#define WILL5(id, expiry, delay)                                                                   \
    "10[ 'MQTT' 05 04 0000 {11 " expiry "} '" id "' {18 " delay "} 'w' 'gone' ]\n"
#define WILL4(id) "10[ 'MQTT' 04 06 0000 '" id "' 'w' 'gone' ]\n"
#define GONE5     "30[ 'w' {} \"gone\" ]\n"

/* clang-format off */
static const struct check checks[] = {
    /* 7 */
    {.name = "checklist 7: 5.0 is told 8E", .script =
        IN5("A", "a") IN5("B", "a") "A< E0[ 8E ]\n" "A|\n" "B.\n"},
    {.name = "checklist 7: 3.1.1 is closed", .script =
        IN4("A", "a") IN4("B", "a") "A|\n" "B.\n"},
    {.name = "checklist 7: 3.1.1 by 5.0, and the session goes along", .script =
        "A> " V4_KEEP("a") "A< ok\n" SUB4("A", "t", "01") "B> " V5_KEEP("a") "B< ok 1\n" "A|\n"
        "B> 30[ 't' {} \"x\" ]\n" "B< 30[ 't' {} \"x\" ]\n"},
    {.name = "checklist 7: what was not acknowledged goes to the new one, once", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A> 32[ 't' 0009 {} \"1\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ]\n" "A< 40[ 0009 ]\n" "B> " V5_KEEP("a") "A< E0[ 8E ]\n" "A|\n"
        "B< ok 1\n" "B< 3A[ 't' 0001 {} \"1\" ]\n" "B> 40[ 0001 ]\n" "B.\n"},
    {.name = "checklist 7: a clean start takes over nothing", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "B> " V5("a") "B< ok\n" "A< E0[ 8E ]\n" "A|\n"
        "B> 30[ 't' {} \"x\" ]\n" "B.\n"},
    {.name = "checklist 7, 10: the will of who is replaced is sent", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000000") "A< ok\n"
        "B> " V5_KEEP("a") "B< ok 1\n" "A< E0[ 8E ]\n" "D< " GONE5},
    {.name = "checklist 7, 11: a delayed will of who is replaced is not", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000005") "A< ok\n"
        "B> " V5_KEEP("a") "B< ok 1\n" "A< E0[ 8E ]\n" "wait 10000\n" "D.\n"},
    {.name = "checklist 7, 11: but if its session ends with it", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000005") "A< ok\n"
        "B> " V5("a") "B< ok\n" "A< E0[ 8E ]\n" "D< " GONE5 "wait 10000\n" "D.\n"},
    {.name = "checklist 7: whoever is refused replaces nobody", .script =
        IN5("A", "a") "B> 10[ 'MQTT' 05 02 0000 {15 'm'} 'a' ]\n" "B< 20[ 00 8C {} ]\n" "A.\n"},
    /* 8 */
    {.name = "checklist 8: present, 5.0", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n" "A-\n" "A> " V5("a") "A< ok\n"
        "A-\n" "A> " V5_KEEP("a") "A< ok\n"},
    {.name = "checklist 8: present, 3.1.1", .script =
        "A> " V4_KEEP("a") "A< 20[ 00 00 ]\n" "A-\n" "A> " V4_KEEP("a") "A< 20[ 01 00 ]\n" "A-\n"
        "A> " V4("a") "A< 20[ 00 00 ]\n" "A-\n" "A> " V4_KEEP("a") "A< 20[ 00 00 ]\n"},
    {.name = "checklist 8: 0 with an error", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A-\n" "A> 10[ 'MQTT' 05 00 0000 {15 'm'} 'a' ]\n"
        "A< 20[ 00 8C {} ]\n" "A|\n" "A> " V5_KEEP("a") "A< ok 1\n"},
    {.name = "checklist 8: present after the broker was killed", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" "B> " V5("b") "B< ok\n" "kill\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "B> " V5_KEEP("b") "B< ok\n"},
    {.name = "checklist 8, 37: present after a power cut", .durable = true, .script =
        "A> " V4_KEEP("a") "A< 20[ 00 00 ]\n" "power\n" "A> " V4_KEEP("a") "A< 20[ 01 00 ]\n"},
    /* 9 */
    {.name = "checklist 9: counted from the disconnect", .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 00000003} 'a' ]\n" "A< ok\n" "wait 10000\n" "A-\n" "wait 2000\n"
        "A> 10[ 'MQTT' 05 00 0000 {11 00000003} 'a' ]\n" "A< ok 1\n" "A-\n" "wait 5000\n"
        "A> 10[ 'MQTT' 05 00 0000 {11 00000003} 'a' ]\n" "A< ok\n"},
    {.name = "checklist 9: 0 ends it, 5.0", .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 00000000} 'a' ]\n" "A< ok\n" "A-\n" "A> " V5_KEEP("a") "A< ok\n"},
    {.name = "checklist 9: none is 0", .script =
        "A> 10[ 'MQTT' 05 00 0000 {} 'a' ]\n" "A< ok\n" "A-\n" "A> " V5_KEEP("a") "A< ok\n"},
    {.name = "checklist 9: FFFFFFFF never, 5.0", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A-\n" "wait 31536000000\n" "A> " V5_KEEP("a") "A< ok 1\n"},
    {.name = "checklist 9: 3.1.1 never", .script =
        "A> " V4_KEEP("a") "A< ok\n" "A-\n" "wait 31536000000\n" "A> " V4_KEEP("a") "A< ok 1\n"},
    {.name = "checklist 9: DISCONNECT makes it shorter", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> E0[ 00 {11 00000002} ]\n" "A|\n" "wait 4000\n"
        "A> " V5_KEEP("a") "A< ok\n"},
    {.name = "checklist 9: DISCONNECT makes it longer", .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 00000001} 'a' ]\n" "A< ok\n" "A> E0[ 00 {11 0000000A} ]\n" "A|\n"
        "wait 8000\n" "A> " V5_KEEP("a") "A< ok 1\n"},
    {.name = "checklist 9: DISCONNECT ends it", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> E0[ 00 {11 00000000} ]\n" "A|\n" "A> " V5_KEEP("a") "A< ok\n"},
    {.name = "checklist 9: DISCONNECT never makes more of 0", .script =
        IN5("A", "a") "A> E0[ 00 {11 00000010} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 9: it goes on over a restart", .durable = true, .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 0000000A} 'a' ]\n" "A< ok\n" "A-\n" "wait 5000\n" "kill\n"
        "wait 3000\n" "A> 10[ 'MQTT' 05 00 0000 {11 0000000A} 'a' ]\n" "A< ok 1\n" "A-\n" "wait 6000\n"
        "kill\n" "wait 6000\n" "A> " V5_KEEP("a") "A< ok\n"},
    /* 10 */
    {.name = "checklist 10: the connection is lost, 5.0", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000000") "A< ok\n" "A-\n"
        "D< " GONE5},
    {.name = "checklist 10: the connection is lost, 3.1.1", .script =
        IN4("D", "d") SUB4("D", "w", "00") "A> " WILL4("a") "A< ok\n" "A-\n" "D< 30[ 'w' \"gone\" ]\n"},
    {.name = "checklist 10: DISCONNECT 00, 5.0", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000000") "A< ok\n" "A> E0[]\n"
        "A|\n" "D.\n"},
    {.name = "checklist 10: DISCONNECT, 3.1.1", .script =
        IN4("D", "d") SUB4("D", "w", "00") "A> " WILL4("a") "A< ok\n" "A> E0[]\n" "A|\n" "D.\n"},
    {.name = "checklist 10: DISCONNECT 04", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000000") "A< ok\n" "A> E0[ 04 ]\n"
        "A|\n" "D< " GONE5},
    {.name = "checklist 10: DISCONNECT 80", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000000") "A< ok\n" "A> E0[ 80 ]\n"
        "A|\n" "D< " GONE5},
    {.name = "checklist 10: a protocol error", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000000") "A< ok\n" "A> 00[]\n"
        "A< E0[ 81 ]\n" "A|\n" "D< " GONE5},
    {.name = "checklist 10, 12: keep-alive", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> 10[ 'MQTT' 04 06 0002 'a' 'w' 'gone' ]\n" "A< ok\n"
        "wait 3100\n" "A|\n" "D< " GONE5},
    {.name = "checklist 12: whom we let wait is not late", .durable = true, .receive_max = 2, .script =
        "A> 10[ 'MQTT' 04 02 0002 'a' ]\n" "A< ok\n" "hold\n"
        "A> 33[ 't' 0001 \"x\" ]\n" "A> 33[ 't' 0002 \"x\" ]\n" "A> 33[ 't' 0003 \"x\" ]\n"
        "wait 2000\n" "A> C0[]\n" "wait 2000\n" "A.\n" "release\n"
        "A< 40[ 0001 ]\n" "A< D0[]\n" "A< 40[ 0002 ]\n" "A< 40[ 0003 ]\n"
        "wait 2500\n" "A.\n" "wait 1000\n" "A|\n"},
    {.name = "checklist 10: its QoS, RETAIN and properties", .script =
        IN5("D", "d") SUB5("D", "w", "02")
        "A> 10[ 'MQTT' 05 2E 0000 {} 'a' {01 01 02 00000064 03 'ct' 08 'r' 09 'co' 26 'k' 'v'} 'w' 'x' ]\n"
        "A< ok\n" "A-\n" "D< 32[ 'w' 0001 {01 01 02 00000064 03 'ct' 08 'r' 09 'co' 26 'k' 'v'} \"x\" ]\n"
        IN5("B", "b") "B> 82[ 0001 {} 'w' 00 ]\n" "B< 90[ 0001 {} 00 ]\n" "B~ retain=1 id=0 topic=w\n"},
    {.name = "checklist 10: who was refused has none", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> 10[ 'MQTT' 05 06 0000 {15 'm'} 'a' {} 'w' 'x' ]\n"
        "A< 20[ 00 8C {} ]\n" "A|\n" "D.\n"},
    /* 11 */
    {.name = "checklist 11: after the delay", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000003") "A< ok\n" "A-\n"
        "wait 2900\n" "D.\n" "wait 200\n" "D< " GONE5},
    {.name = "checklist 11: at the session's end, if that is earlier", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000002", "00000064") "A< ok\n" "A-\n"
        "wait 1900\n" "D.\n" "wait 2000\n" "D< " GONE5},
    {.name = "checklist 11: at once, if the session ends with the connection", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000000", "00000064") "A< ok\n" "A-\n"
        "D< " GONE5},
    {.name = "checklist 11: whoever is back in time cancels it", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000003") "A< ok\n" "A-\n"
        "wait 2000\n" "A> " V5_KEEP("a") "A< ok 1\n" "wait 10000\n" "D.\n"},
    {.name = "checklist 11: whoever starts anew ends the session, and the will is sent", .script =
        IN5("D", "d") SUB5("D", "w", "00") "A> " WILL5("a", "00000064", "00000003") "A< ok\n" "A-\n"
        "A> " V5("a") "A< ok\n" "D< " GONE5},
    /* 14 */
    {.name = "checklist 14: order within a connection, QoS 1 and 2 apart", .script =
        IN5("A", "a") SUB5("A", "t", "02") IN5("B", "b")
        "B> 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ] 34[ 't' 0004 {} \"4\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ] 34[ 't' 0004 {} \"4\" ]\n"
        "A.\n"},
    {.name = "checklist 14, 15: order when sent again, and what came meanwhile behind it", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") IN5("B", "b")
        "B> 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n" "A-\n"
        "B> 32[ 't' 0003 {} \"3\" ] 32[ 't' 0004 {} \"4\" ]\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A< 3A[ 't' 0001 {} \"1\" ] 3A[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ] 32[ 't' 0004 {} \"4\" ]\n"
        "A.\n"},
    {.name = "checklist 14: order over a restart", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A-\n" IN5("B", "b")
        "B> 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ]\n"
        "wait 100\n" "power\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A< 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ]\n" "A.\n"},
    /* 15 */
    {.name = "checklist 15: PUBLISH again with its id and DUP, 3.1.1", .script =
        "A> " V4_KEEP("a") "A< ok\n" SUB4("A", "t", "01") "A> 32[ 't' 0007 \"x\" ]\n"
        "A< 32[ 't' 0001 \"x\" ]\n" "A< 40[ 0007 ]\n" "A-\n" "A> " V4_KEEP("a") "A< ok 1\n"
        "A< 3A[ 't' 0001 \"x\" ]\n" "A> 40[ 0001 ]\n" "A-\n" "A> " V4_KEEP("a") "A< ok 1\n" "A.\n"},
    {.name = "checklist 15, 17: PUBLISH at QoS 2 again, then PUBREL again", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "02") IN5("B", "b") "B> 34[ 't' 0007 {} \"x\" ]\n"
        "A< 34[ 't' 0001 {} \"x\" ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n" "A< 3C[ 't' 0001 {} \"x\" ]\n"
        "A> 50[ 0001 ]\n" "A< 62[ 0001 ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n" "A< 62[ 0001 ]\n"
        "A> 70[ 0001 ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n" "A.\n"},
    {.name = "checklist 15: in order, and only what is open", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "02") IN5("B", "b")
        "B> 34[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ] 34[ 't' 0003 {} \"3\" ]\n"
        "A< 34[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ] 34[ 't' 0003 {} \"3\" ]\n"
        "A> 50[ 0001 ] 40[ 0002 ]\n" "A< 62[ 0001 ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A< 62[ 0001 ] 3C[ 't' 0003 {} \"3\" ]\n" "A.\n"},
    {.name = "checklist 15: never again on a live connection, 5.0", .script =
        IN5("A", "a") SUB5("A", "t", "02") IN5("B", "b") "B> 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n" "wait 3600000\n" "A.\n" "A> 50[ 0002 ]\n"
        "A< 62[ 0002 ]\n" "wait 3600000\n" "A.\n"},
    {.name = "checklist 15: over a restart too", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "02") IN5("B", "b")
        "B> 34[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n"
        "A< 34[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n" "A> 50[ 0001 ]\n" "A< 62[ 0001 ]\n"
        "kill\n" "A> " V5_KEEP("a") "A< ok 1\n" "A< 62[ 0001 ] 3C[ 't' 0002 {} \"2\" ]\n" "A.\n"},
    /* 37 */
    {.name = "checklist 37: PUBACK after the commit, if somebody stored depends on it", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A-\n" IN5("B", "b") "hold\n"
        "B> 32[ 't' 0001 {} \"x\" ]\n" "wait 5000\n" "B.\n" "release\n" "B< 40[ 0001 ]\n"
        "power\n" "A> " V5_KEEP("a") "A< ok 1\n" "A< 32[ 't' 0001 {} \"x\" ]\n"},
    {.name = "checklist 37: PUBACK after the commit of what is retained, 3.1.1", .durable = true, .script =
        IN4("B", "b") "hold\n" "B> 33[ 'r' 0001 \"x\" ]\n" "wait 5000\n" "B.\n" "release\n" "B< 40[ 0001 ]\n"
        "power\n" IN4("B", "b") "B> 82[ 0001 'r' 00 ]\n" "B< 90[ 0001 00 ] 31[ 'r' \"x\" ]\n"},
    {.name = "checklist 37: at once, if nothing durable depends on it", .durable = true, .script =
        IN5("A", "a") SUB5("A", "t", "01") IN5("B", "b") "hold\n" "B> 32[ 't' 0001 {} \"x\" ]\n"
        "B< 40[ 0001 ]\n" "A< 32[ 't' 0001 {} \"x\" ]\n" "release\n"},
    {.name = "checklist 37: PUBREC after the commit", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "02") "A-\n" IN5("B", "b") "hold\n"
        "B> 34[ 't' 0001 {} \"x\" ]\n" "wait 5000\n" "B.\n" "release\n" "B< 50[ 0001 ]\n" "power\n"
        "A> " V5_KEEP("a") "A< ok 1\n" "A< 34[ 't' 0001 {} \"x\" ]\n"},
    {.name = "checklist 37, 17: an id that is received is known after a power cut", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" IN5("B", "b") SUB5("B", "t", "00") "A> 34[ 't' 0005 {} \"x\" ]\n"
        "A~ PUBREC id=5\n" "B< 30[ 't' {} \"x\" ]\n" "power\n" IN5("B", "b") SUB5("B", "t", "00")
        "A> " V5_KEEP("a") "A< ok 1\n" "A> 3C[ 't' 0005 {} \"x\" ]\n" "A~ PUBREC id=5\n" "B.\n"
        "A> 62[ 0005 ]\n" "A< 70[ 0005 ]\n" "A> 34[ 't' 0005 {} \"y\" ]\n" "A~ PUBREC id=5\n"
        "B< 30[ 't' {} \"y\" ]\n"},
    {.name = "checklist 37: SUBACK of a kept session after the commit", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" "hold\n" "A> 82[ 0001 {} 't' 01 ]\n" "wait 1000\n" "A.\n" "release\n"
        "A< 90[ 0001 {} 01 ]\n" "power\n" "A> " V5_KEEP("a") "A< ok 1\n" "A> 30[ 't' {} \"x\" ]\n"
        "A< 30[ 't' {} \"x\" ]\n"},
    {.name = "checklist 37: CONNACK of a kept session after the commit", .durable = true, .script =
        "hold\n" "A> " V5_KEEP("a") "wait 1000\n" "A.\n" "release\n" "A< ok\n" "power\n" "A> " V5_KEEP("a")
        "A< ok 1\n"},
};
/* clang-format on */
const struct checks mqtt_checks_session = {checks, sizeof(checks) / sizeof(checks[0])};
