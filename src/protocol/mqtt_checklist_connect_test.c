/* Checklist 1 to 6, 12, 35 and 36: CONNECT, its packets' form, keep-alive, what is told and
 * enforced. */
#include "protocol/mqtt_checklist_test.h"

/* clang-format off */
static const struct check checks[] = {
    /* 1 */
    {.name = "checklist 1: the first packet is PINGREQ", .script =
        "A> C0[]\n" "A|\n"},
    {.name = "checklist 1: the first packet is PUBLISH", .script =
        "A> 30[ 't' \"x\" ]\n" "A|\n"},
    {.name = "checklist 1: the first packet is AUTH", .script =
        "A> F0[ 18 {15 'm'} ]\n" "A|\n"},
    {.name = "checklist 1: a second CONNECT, 5.0", .script =
        IN5("A", "a") "A> " V5("a") "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 1: a second CONNECT, 3.1.1", .script =
        IN4("A", "a") "A> " V4("a") "A|\n"},
    {.name = "checklist 1: a CONNECT that does not come in time", .script =
        "A> 10\n" "wait 9900\n" "A.\n" "wait 200\n" "A|\n"},
    {.name = "checklist 1: a CONNECT that comes a byte now and then", .script =
        "A> 10 0D\n" "wait 4000\n" "A> 00\n" "wait 4000\n" "A> 04\n" "A.\n" "wait 2100\n" "A|\n"},
    /* 2 */
    {.name = "checklist 2: a length that is not minimal, 5.0", .script =
        IN5("A", "a") "A> C0 80 00\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: a length that is not minimal, 3.1.1", .script =
        IN4("A", "a") "A> C0 80 00\n" "A|\n"},
    {.name = "checklist 2: a length of five bytes", .script =
        IN5("A", "a") "A> 30 80 80 80 80 01\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: a property length that is not minimal", .script =
        IN5("A", "a") "A> 30[ 't' 80 00 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: flags of SUBSCRIBE, 5.0", .script =
        IN5("A", "a") "A> 80[ 0001 {} 't' 00 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: flags of SUBSCRIBE, 3.1.1", .script =
        IN4("A", "a") "A> 80[ 0001 't' 00 ]\n" "A|\n"},
    {.name = "checklist 2: flags of PUBREL", .script =
        IN5("A", "a") "A> 60[ 0001 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: flags of CONNECT", .script =
        "A> 11[ 'MQTT' 05 02 0000 {} 'a' ]\n" "A|\n"},
    {.name = "checklist 2: a byte behind PINGREQ", .script =
        IN5("A", "a") "A> C0[ 00 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 2: a byte behind CONNECT, 5.0", .script =
        "A> 10[ 'MQTT' 05 02 0000 {} 'a' 00 ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 2: a byte behind CONNECT, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 02 0000 'a' 00 ]\n" "A|\n"},
    {.name = "checklist 2: a byte behind PUBACK, 3.1.1", .script =
        IN4("A", "a") "A> 40[ 0001 00 ]\n" "A|\n"},
    {.name = "checklist 2: QoS 3", .script =
        IN5("A", "a") "A> 36[ 't' 0001 {} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    /* 3 */
    {.name = "checklist 3: a surrogate in the client id, 5.0", .script =
        "A> 10[ 'MQTT' 05 02 0000 {} 0003 EDA080 ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 3: a surrogate in the client id, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 02 0000 0003 EDA080 ]\n" "A|\n"},
    {.name = "checklist 3: U+0000 in the user name", .script =
        "A> 10[ 'MQTT' 05 82 0000 {} 'a' 0003 780078 ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 3: U+0000 in the will's topic", .script =
        "A> 10[ 'MQTT' 05 06 0000 {} 'a' {} 0001 00 'x' ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 3: a surrogate in the topic, 5.0", .script =
        IN5("A", "a") "A> 30[ 0003 EDBFBF {} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: U+0000 in the topic, 3.1.1", .script =
        IN4("A", "a") "A> 30[ 0003 610062 ]\n" "A|\n"},
    {.name = "checklist 3: a surrogate in the filter", .script =
        IN5("A", "a") "A> 82[ 0001 {} 0003 EDA080 00 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: a surrogate in the filter of UNSUBSCRIBE", .script =
        IN5("A", "a") "A> A2[ 0001 {} 0003 EDA080 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: U+0000 in a user property", .script =
        IN5("A", "a") "A> 30[ 't' {26 'k' 0001 00} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: an overlong form in the content type", .script =
        IN5("A", "a") "A> 30[ 't' {03 0002 C0AF} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: U+0000 in the response topic", .script =
        IN5("A", "a") "A> 30[ 't' {08 0001 00} ]\n" "A~ DISCONNECT reason=81\n" "A|\n"},
    {.name = "checklist 3: U+0000 in the reason string", .script =
        IN5("A", "a") "A> E0[ 00 {1F 0001 00} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 3: four bytes are a letter", .script =
        IN5("A", "a") "A> 82[ 0001 {} 0004 F09F9880 00 ]\n" "A< 90[ 0001 {} 00 ]\n"
        "A> 30[ 0004 F09F9880 {} ]\n" "A< 30[ 0004 F09F9880 {} ]\n"},
    /* 4 */
    {.name = "checklist 4: reserved flag, 5.0", .script =
        "A> 10[ 'MQTT' 05 03 0000 {} 'a' ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 4: reserved flag, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 03 0000 'a' ]\n" "A|\n"},
    {.name = "checklist 4: will QoS 3, 5.0", .script =
        "A> 10[ 'MQTT' 05 1E 0000 {} 'a' {} 'w' 'x' ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 4: will QoS 3, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 1E 0000 'a' 'w' 'x' ]\n" "A|\n"},
    {.name = "checklist 4: will QoS without a will", .script =
        "A> 10[ 'MQTT' 05 0A 0000 {} 'a' ]\n" "A< 20[ 00 81 {} ]\n" "A|\n"},
    {.name = "checklist 4: will retain without a will, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 22 0000 'a' ]\n" "A|\n"},
    {.name = "checklist 4: a password without a user name, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 42 0000 'a' 'p' ]\n" "A|\n"},
    {.name = "checklist 4: a password without a user name, 5.0", .script =
        "A> 10[ 'MQTT' 05 42 0000 {} 'a' 'p' ]\n" "A< ok\n" "A.\n"},
    /* 5 */
    {.name = "checklist 5: level 6 reads the CONNACK of 5.0", .script =
        "A> 10[ 'MQTT' 06 02 0000 {} 'a' ]\n" "A< 20[ 00 84 {} ]\n" "A|\n"},
    {.name = "checklist 5: level 3 with the new name reads that of 3.1.1", .script =
        "A> 10[ 'MQTT' 03 02 0000 'a' ]\n" "A< 20[ 00 01 ]\n" "A|\n"},
    {.name = "checklist 5: 3.1 with another level", .script =
        "A> 10[ 'MQIsdp' 04 02 0000 'a' ]\n" "A< 20[ 00 01 ]\n" "A|\n"},
    {.name = "checklist 5: another protocol understands nothing", .script =
        "A> 10[ 'MQTX' 05 02 0000 {} 'a' ]\n" "A|\n"},
    {.name = "checklist 5: 3.1 is spoken", .script =
        "A> " V3("a") "A< 20[ 00 00 ]\n" "A> 8A[ 0001 't' 01 ]\n" "A< 90[ 0001 01 ]\n"
        "A> 32[ 't' 0002 \"x\" ]\n" "A< 32[ 't' 0001 \"x\" ]\n" "A< 40[ 0002 ]\n" "A> 40[ 0001 ]\n"
        "A> CF[]\n" "A< D0[]\n"},
    /* 6 */
    {.name = "checklist 6: no client id, 5.0: it is given one", .script =
        "A> 10[ 'MQTT' 05 02 0000 {} '' ]\n" "A~ assigned-id=sedge-\n" "A.\n"},
    {.name = "checklist 6: no client id, 5.0, kept: it is given one", .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 00000064} '' ]\n" "A~ assigned-id=sedge-\n" "A.\n"},
    {.name = "checklist 6: a client id, 5.0: none is given", .script =
        "A> " V5("a") "A~ session=0 { receive-max\n"},
    {.name = "checklist 6: no client id, 3.1.1, clean", .script =
        "A> " V4("") "A< 20[ 00 00 ]\n" "A.\n"},
    {.name = "checklist 6: no client id, 3.1.1, kept", .script =
        "A> " V4_KEEP("") "A< 20[ 00 02 ]\n" "A|\n"},
    {.name = "checklist 6: no client id, 3.1", .script =
        "A> " V3("") "A< 20[ 00 02 ]\n" "A|\n"},
    /* 12 */
    {.name = "checklist 12: one and a half times, 5.0", .script =
        "A> 10[ 'MQTT' 05 02 0002 {} 'a' ]\n" "A< ok\n" "wait 2900\n" "A.\n" "wait 200\n"
        "A< E0[ 8D ]\n" "A|\n"},
    {.name = "checklist 12: one and a half times, 3.1.1", .script =
        "A> 10[ 'MQTT' 04 02 0002 'a' ]\n" "A< ok\n" "wait 2900\n" "A.\n" "wait 200\n" "A|\n"},
    {.name = "checklist 12: counted from the last packet", .script =
        "A> 10[ 'MQTT' 05 02 0002 {} 'a' ]\n" "A< ok\n" "wait 2000\n" "A> C0[]\n" "A< D0[]\n"
        "wait 2000\n" "A> 30[ 't' {} ]\n" "wait 2900\n" "A.\n" "wait 200\n" "A< E0[ 8D ]\n" "A|\n"},
    {.name = "checklist 12: what goes to the client does not count", .script =
        "A> 10[ 'MQTT' 05 02 0002 {} 'a' ]\n" "A< ok\n" SUB5("A", "t", "00") IN5("B", "b")
        "wait 2000\n" "B> 30[ 't' {} ]\n" "A< 30[ 't' {} ]\n" "wait 1100\n" "A< E0[ 8D ]\n" "A|\n"},
    {.name = "checklist 12: 0 is off", .script =
        IN5("A", "a") "wait 86400000\n" "A> C0[]\n" "A< D0[]\n"},
    {.name = "checklist 12: Server Keep Alive overrides", .keep_alive_max_s = 10, .script =
        "A> 10[ 'MQTT' 05 02 0064 {} 'a' ]\n" "A~ server-keep-alive=10 \n" "wait 14900\n" "A.\n"
        "wait 200\n" "A< E0[ 8D ]\n" "A|\n"},
    {.name = "checklist 12: Server Keep Alive for who asked for none", .keep_alive_max_s = 10, .script =
        "A> " V5("a") "A~ server-keep-alive=10 \n" "wait 15100\n" "A< E0[ 8D ]\n" "A|\n"},
    {.name = "checklist 12: less than Server Keep Alive stays", .keep_alive_max_s = 10, .script =
        "A> 10[ 'MQTT' 05 02 0004 {} 'a' ]\n" "A~ session=0 { receive-max\n" "wait 6100\n"
        "A< E0[ 8D ]\n" "A|\n"},
    /* 35; the exchanges are in mqtt_auth_test.c */
    {.name = "checklist 35: AUTH without a method in CONNECT", .script =
        IN5("A", "a") "A> F0[ 19 {15 'm'} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 35: an unknown method", .script =
        "A> 10[ 'MQTT' 05 02 0000 {15 'm'} 'a' ]\n" "A< 20[ 00 8C {} ]\n" "A|\n"},
    {.name = "checklist 35: authentication data without a method", .script =
        "A> 10[ 'MQTT' 05 02 0000 {16 'd'} 'a' ]\n" "A< 20[ 00 82 {} ]\n" "A|\n"},
    {.name = "checklist 35: AUTH is no packet of 3.1.1", .script =
        IN4("A", "a") "A> F0[]\n" "A|\n"},
    /* 36 */
    {.name = "checklist 36: a shorter session expiry is told", .session_expiry_max_s = 60, .script =
        "A> 10[ 'MQTT' 05 02 0000 {11 00000064} 'a' ]\n" "A~ session-expiry=60 \n"},
    {.name = "checklist 36: a session expiry that is granted is not told", .session_expiry_max_s = 60,
     .script = "A> 10[ 'MQTT' 05 02 0000 {11 0000003C} 'a' ]\n" "A~ session=0 { receive-max\n"},
    {.name = "checklist 36: what is reduced is told", .reduced = true, .script =
        "A> " V5("a") "A~ max-qos=1 retain-ok=0 max-size=1048576 wildcard-ok=0 sub-ids-ok=0 shared-ok=0 }\n"},
    {.name = "checklist 36: QoS 2 is refused", .reduced = true, .script =
        IN5("A", "a") "A> 34[ 't' 0001 {} ]\n" "A< E0[ 9B ]\n" "A|\n"},
    {.name = "checklist 36: a will of QoS 2 is refused", .reduced = true, .script =
        "A> 10[ 'MQTT' 05 16 0000 {} 'a' {} 'w' 'x' ]\n" "A< 20[ 00 9B {} ]\n" "A|\n"},
    {.name = "checklist 36: RETAIN is refused", .reduced = true, .script =
        IN5("A", "a") "A> 31[ 't' {} ]\n" "A< E0[ 9A ]\n" "A|\n"},
    {.name = "checklist 36: a retained will is refused", .reduced = true, .script =
        "A> 10[ 'MQTT' 05 26 0000 {} 'a' {} 'w' 'x' ]\n" "A< 20[ 00 9A {} ]\n" "A|\n"},
    {.name = "checklist 36: wildcards, shares and ids are refused; QoS 2 becomes 1", .reduced = true,
     .script = IN5("A", "a")
        "A> 82[ 0001 {} 'a/+' 00 '$share/g/t' 00 't' 02 ]\n" "A< 90[ 0001 {} A2 9E 01 ]\n"
        "A> 82[ 0002 {0B 05} 't' 00 ]\n" "A< 90[ 0002 {} A1 ]\n"},
    {.name = "checklist 36: 3.1.1 is told nothing and refused the same", .reduced = true, .script =
        IN4("A", "a") "A> 82[ 0001 'a/+' 00 't' 02 ]\n" "A< 90[ 0001 80 01 ]\n"
        "A> 34[ 't' 0001 ]\n" "A|\n"},
};
/* clang-format on */
const struct checks mqtt_checks_connect = {checks, sizeof(checks) / sizeof(checks[0])};
