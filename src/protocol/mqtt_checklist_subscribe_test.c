/* Checklist 25 and 28 to 34: filters, retained messages, options, shares, and what is told of
 * problems. */
#include "protocol/mqtt_checklist_test.h"

/* clang-format off */
static const struct check checks[] = {
    /* 25 */
    {.name = "checklist 25: # not last, 5.0", .script =
        IN5("A", "a") "A> 82[ 0001 {} 'a/#/b' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 25: # not last, 3.1.1", .script = IN4("A", "a") "A> 82[ 0001 'a/#/b' 00 ]\n" "A|\n"},
    {.name = "checklist 25: # in a level", .script =
        IN5("A", "a") "A> 82[ 0001 {} 'a#' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 25: + in a level", .script =
        IN5("A", "a") "A> 82[ 0001 {} 'a/b+' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 25: an empty filter", .script =
        IN5("A", "a") "A> 82[ 0001 {} '' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 25: a wrong filter in UNSUBSCRIBE", .script =
        IN5("A", "a") "A> A2[ 0001 {} 'a#' ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 25: a/# matches a", .script =
        IN5("A", "a") SUB5("A", "a/#", "00") "A> 30[ 'a' {} ] 30[ 'a/' {} ] 30[ 'a/b/c' {} ] 30[ 'ab' {} ]\n"
        "A< 30[ 'a' {} ] 30[ 'a/' {} ] 30[ 'a/b/c' {} ]\n" "A.\n"},
    {.name = "checklist 25: empty levels count", .script =
        IN4("A", "a") SUB4("A", "+/+", "00") SUB4("A", "/x", "00") "A> 30[ '/' ] 30[ 'x' ] 30[ '/x' ] 30[ 'a/b/c' ]\n"
        "A< 30[ '/' ] 30[ '/x' ]\n" "A.\n"},
    {.name = "checklist 25: + is a whole level", .script =
        IN5("A", "a") SUB5("A", "a/+/c", "00") "A> 30[ 'a//c' {} ] 30[ 'a/b/c' {} ] 30[ 'a/c' {} ] 30[ 'a/b/b/c' {} ]\n"
        "A< 30[ 'a//c' {} ] 30[ 'a/b/c' {} ]\n" "A.\n"},
    /* 28 */
    {.name = "checklist 28: RETAIN 1 on a new subscription, 0 live", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" SUB5("A", "t", "00") "A< 31[ 't' {} \"1\" ]\n"
        "A> 31[ 't' {} \"2\" ]\n" "A< 30[ 't' {} \"2\" ]\n"},
    {.name = "checklist 28: RETAIN 1 on a new subscription, 0 live, 3.1.1", .script =
        IN4("A", "a") "A> 31[ 't' \"1\" ]\n" SUB4("A", "t", "00") "A< 31[ 't' \"1\" ]\n"
        "A> 31[ 't' \"2\" ]\n" "A< 30[ 't' \"2\" ]\n" "A> 82[ 0001 't' 00 ]\n" "A< 90[ 0001 00 ] 31[ 't' \"2\" ]\n"},
    {.name = "checklist 28: Retain As Published", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 08 ]\n" "A< 90[ 0001 {} 00 ]\n" "A> 31[ 't' {} \"1\" ] 30[ 't' {} \"2\" ]\n"
        "A< 31[ 't' {} \"1\" ] 30[ 't' {} \"2\" ]\n"},
    {.name = "checklist 28: an empty payload deletes, and is delivered", .script =
        IN5("A", "a") SUB5("A", "t", "00") "A> 31[ 't' {} \"1\" ] 31[ 't' {} ]\n"
        "A< 30[ 't' {} \"1\" ] 30[ 't' {} ]\n" "A> 82[ 0001 {} 't' 00 ]\n" "A< 90[ 0001 {} 00 ]\n" "A.\n"},
    {.name = "checklist 28: Retain Handling 0: always", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" "A> 82[ 0001 {} 't' 00 ]\n" "A< 90[ 0001 {} 00 ] 31[ 't' {} \"1\" ]\n"
        "A> 82[ 0002 {} 't' 00 ]\n" "A< 90[ 0002 {} 00 ] 31[ 't' {} \"1\" ]\n"},
    {.name = "checklist 28: Retain Handling 1: if it is new", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" "A> 82[ 0001 {} 't' 10 ]\n" "A< 90[ 0001 {} 00 ] 31[ 't' {} \"1\" ]\n"
        "A> 82[ 0002 {} 't' 10 ]\n" "A< 90[ 0002 {} 00 ]\n" "A.\n"},
    {.name = "checklist 28: Retain Handling 2: never", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" "A> 82[ 0001 {} 't' 20 ]\n" "A< 90[ 0001 {} 00 ]\n" "A.\n"},
    {.name = "checklist 28: Retain Handling 3", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 30 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 28, 13: its QoS is the lower one", .script =
        IN5("A", "a") "A> 35[ 't' 0001 {} \"1\" ]\n" "A~ PUBREC id=1\n" "A> 82[ 0001 {} 't' 01 ]\n"
        "A< 90[ 0001 {} 01 ] 33[ 't' 0001 {} \"1\" ]\n"},
    {.name = "checklist 28: not on a reconnect", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> 31[ 't' {} \"1\" ]\n" "A> 82[ 0001 {} 't' 01 ]\n"
        "A< 90[ 0001 {} 01 ] 31[ 't' {} \"1\" ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n" "A.\n"},
    {.name = "checklist 28, 37: over a power cut", .durable = true, .script =
        IN5("A", "a") "A> 33[ 't' 0001 {} \"1\" ] 33[ 'u' 0002 {} \"2\" ] 33[ 'u' 0003 {} ]\n"
        "A~ PUBACK id=1\n" "A~ PUBACK id=2\n" "A~ PUBACK id=3\n" "power\n" IN5("A", "a") "A> 82[ 0001 {} '#' 00 ]\n"
        "A< 90[ 0001 {} 00 ] 31[ 't' {} \"1\" ]\n" "A.\n"},
    /* 29 */
    {.name = "checklist 29: the options are replaced", .script =
        IN5("A", "a") "A> 82[ 0001 {0B 01} 't' 00 ]\n" "A< 90[ 0001 {} 00 ]\n" "A> 82[ 0002 {0B 02} 't' 01 ]\n"
        "A< 90[ 0002 {} 01 ]\n" "A> 32[ 't' 0001 {} ]\n" "A< 32[ 't' 0001 {0B 02} ]\n" "A~ PUBACK id=1\n" "A.\n"},
    {.name = "checklist 29: the QoS is replaced, 3.1.1", .script =
        IN4("A", "a") SUB4("A", "t", "02") SUB4("A", "t", "00") "A> 32[ 't' 0001 ]\n" "A< 30[ 't' ]\n"
        "A< 40[ 0001 ]\n" "A.\n"},
    {.name = "checklist 29: no message is lost on the way", .script =
        IN5("A", "a") SUB5("A", "t", "01") IN5("B", "b") "A> 82[ 0002 {} 't' 01 ] 30[ 't' {} \"1\" ] 82[ 0003 {} 't' 00 ]"
        " 30[ 't' {} \"2\" ]\n" "A< 90[ 0002 {} 01 ] 30[ 't' {} \"1\" ] 90[ 0003 {} 00 ] 30[ 't' {} \"2\" ]\n" "A.\n"},
    {.name = "checklist 29: what waits for the client stays", .script =
        "A> 10[ 'MQTT' 05 02 0000 {21 0001} 'a' ]\n" "A< ok\n" SUB5("A", "t", "01") IN5("B", "b")
        "B> 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n" "A< 32[ 't' 0001 {} \"1\" ]\n" SUB5("A", "t", "00")
        "A> 40[ 0001 ]\n" "A< 32[ 't' 0002 {} \"2\" ]\n"},
    {.name = "checklist 29: it is one subscription to end", .script =
        IN5("A", "a") SUB5("A", "t", "01") SUB5("A", "t", "00") "A> A2[ 0001 {} 't' ]\n" "A< B0[ 0001 {} 00 ]\n"
        "A> 30[ 't' {} ]\n" "A.\n"},
    /* 30 */
    {.name = "checklist 30: no local", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 04 ]\n" "A< 90[ 0001 {} 00 ]\n" "A> 30[ 't' {} \"1\" ]\n" "A.\n" IN5("B", "b")
        "B> 30[ 't' {} \"2\" ]\n" "A< 30[ 't' {} \"2\" ]\n"},
    {.name = "checklist 30: another subscription of the client still gets it", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 04 '+' 00 ]\n" "A< 90[ 0001 {} 00 00 ]\n" "A> 30[ 't' {} ]\n"
        "A< 30[ 't' {} ]\n" "A.\n"},
    {.name = "checklist 30: it is the client's own over a reconnect", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> 82[ 0001 {} 't' 05 ]\n" "A< 90[ 0001 {} 01 ]\n" "A-\n" "A> " V5_KEEP("a")
        "A< ok 1\n" "A> 30[ 't' {} ]\n" "A.\n"},
    {.name = "checklist 30: with a share", .script =
        IN5("A", "a") "A> 82[ 0001 {} '$share/g/t' 04 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    /* 31 */
    {.name = "checklist 31: 0 is illegal", .script =
        IN5("A", "a") "A> 82[ 0001 {0B 00} 't' 00 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 31: twice is illegal", .script =
        IN5("A", "a") "A> 82[ 0001 {0B 01 0B 02} 't' 00 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 31: the largest", .script =
        IN5("A", "a") "A> 82[ 0001 {0B FFFFFF7F} 't' 00 ]\n" "A< 90[ 0001 {} 00 ]\n" "A> 30[ 't' {} ]\n"
        "A< 30[ 't' {0B FFFFFF7F} ]\n"},
    {.name = "checklist 31: all that match are listed", .script =
        IN5("A", "a") "A> 82[ 0001 {0B 01} 't' 00 ]\n" "A< 90[ 0001 {} 00 ]\n" "A> 82[ 0002 {0B 02} '+' 00 ]\n"
        "A< 90[ 0002 {} 00 ]\n" "A> 82[ 0003 {} '#' 00 ]\n" "A< 90[ 0003 {} 00 ]\n" "A> 82[ 0004 {0B 03} 'u' 00 ]\n"
        "A< 90[ 0004 {} 00 ]\n" "A> 30[ 't' {} ]\n" "A~ id:1\n" "A> 30[ 't' {} ]\n" "A~ id:2\n" "A.\n"},
    {.name = "checklist 31: of a retained message too", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" "A> 82[ 0001 {0B 05} 't' 00 ]\n"
        "A< 90[ 0001 {} 00 ] 31[ 't' {0B 05} \"1\" ]\n"},
    {.name = "checklist 31: over a restart", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> 82[ 0001 {0B 05} 't' 01 ]\n" "A< 90[ 0001 {} 01 ]\n" "kill\n"
        "A> " V5_KEEP("a") "A< ok 1\n" "A> 30[ 't' {} ]\n" "A< 30[ 't' {0B 05} ]\n"},
    /* 32 */
    {.name = "checklist 32: a code for each, in order, 5.0", .script =
        IN5("A", "a") "A> 82[ 0001 {} 'a' 02 'b' 00 'c' 01 ]\n" "A< 90[ 0001 {} 02 00 01 ]\n"
        "A> A2[ 0002 {} 'b' 'x' 'a' 'b' ]\n" "A< B0[ 0002 {} 00 11 00 11 ]\n"},
    {.name = "checklist 32: a code for each, 3.1.1; none in UNSUBACK", .script =
        IN4("A", "a") "A> 82[ 0001 'a' 02 'b' 00 'c' 01 ]\n" "A< 90[ 0001 02 00 01 ]\n" "A> A2[ 0002 'b' 'x' ]\n"
        "A< B0[ 0002 ]\n" "A> 30[ 'b' ] 30[ 'a' ]\n" "A< 30[ 'a' ]\n" "A.\n"},
    {.name = "checklist 32: an empty list, 5.0", .script =
        IN5("A", "a") "A> 82[ 0001 {} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 32: an empty list, 3.1.1", .script = IN4("A", "a") "A> 82[ 0001 ]\n" "A|\n"},
    {.name = "checklist 32: an empty list of UNSUBSCRIBE", .script =
        IN5("A", "a") "A> A2[ 0001 {} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 32: reserved bits of the options", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 40 ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 32: options of 5.0 in 3.1.1", .script = IN4("A", "a") "A> 82[ 0001 't' 04 ]\n" "A|\n"},
    /* 33 */
    {.name = "checklist 33: one delivery for a group, in turn", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "00") IN5("B", "b") SUB5("B", "$share/g/t", "00") IN5("C", "c")
        "C> 30[ 't' {} \"x\" ] 30[ 't' {} \"x\" ]\n" "A< 30[ 't' {} \"x\" ]\n" "A.\n" "B< 30[ 't' {} \"x\" ]\n" "B.\n"},
    {.name = "checklist 33: two groups, and one that is in none", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "00") IN5("B", "b") SUB5("B", "$share/h/t", "00") IN5("C", "c")
        SUB5("C", "t", "00") "C> 30[ 't' {} ]\n" "A< 30[ 't' {} ]\n" "B< 30[ 't' {} ]\n" "C< 30[ 't' {} ]\n"
        "A.\n" "B.\n" "C.\n"},
    {.name = "checklist 33: shared and not, by one client: both", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "00") SUB5("A", "t", "00") "A> 30[ 't' {} ]\n"
        "A< 30[ 't' {} ] 30[ 't' {} ]\n" "A.\n"},
    {.name = "checklist 33: a group without a name", .script =
        IN5("A", "a") "A> 82[ 0001 {} '$share//t' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 33: a wildcard in the name", .script =
        IN5("A", "a") "A> 82[ 0001 {} '$share/g+/t' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 33: nothing behind the name", .script =
        IN5("A", "a") "A> 82[ 0001 {} '$share/g' 00 ]\n" "A< E0[ 8F ]\n" "A|\n"},
    {.name = "checklist 33: nothing retained on subscribing", .script =
        IN5("A", "a") "A> 31[ 't' {} \"1\" ]\n" SUB5("A", "$share/g/t", "00") "A.\n"},
    {.name = "checklist 33: unsubscribing ends it", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "00") "A> A2[ 0001 {} '$share/g/t' '$share/h/t' ]\n"
        "A< B0[ 0001 {} 00 11 ]\n" "A> 30[ 't' {} ]\n" "A.\n"},
    {.name = "checklist 33: who is away is passed over", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "$share/g/t", "01") IN5("B", "b") SUB5("B", "$share/g/t", "01") "A-\n"
        IN5("C", "c") "C> 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n"
        "B< 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n"},
    {.name = "checklist 33: handed over when a session ends", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "01") IN5("C", "c") "C> 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ] 32[ 't' 0002 {} \"2\" ]\n" IN5("B", "b") SUB5("B", "$share/g/t", "01")
        "A> 40[ 0001 ]\n" "A-\n" "B< 32[ 't' 0001 {} \"2\" ]\n" "B.\n"},
    {.name = "checklist 33: not handed over while the session lasts", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "$share/g/t", "01") IN5("C", "c") "C> 32[ 't' 0001 {} \"1\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ]\n" IN5("B", "b") SUB5("B", "$share/g/t", "01") "A-\n" "B.\n" "A> " V5_KEEP("a")
        "A< ok 1\n" "A< 3A[ 't' 0001 {} \"1\" ]\n"},
    {.name = "checklist 33, 37: over a power cut, who is away", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "$share/g/t", "01") "A-\n" IN5("C", "c")
        "C> 32[ 't' 0001 {} \"1\" ]\n" "C< 40[ 0001 ]\n" "power\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A< 32[ 't' 0001 {} \"1\" ]\n" "A> A2[ 0001 {} '$share/g/t' ]\n" "A< B0[ 0001 {} 00 ]\n"},
    {.name = "checklist 33, 9: handed over when the time of a session is over", .durable = true, .script =
        "A> 10[ 'MQTT' 05 00 0000 {11 00000003} 'a' ]\n" "A< ok\n" SUB5("A", "$share/g/t", "02") "A-\n" IN5("C", "c")
        "C> 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n" "C~ PUBACK id=1\n" "C~ PUBREC id=2\n" "wait 1000\n"
        "B> " V5_KEEP("b") "B< ok\n" SUB5("B", "$share/g/t", "02") "B.\n" "wait 4000\n"
        "B< 32[ 't' 0001 {} \"1\" ]\n" "B~ PUBLISH qos=2 dup=0 retain=0 id=2 topic=t payload=2\n" "B.\n"},
    {.name = "checklist 33: not handed over: QoS 2 that has left", .script =
        IN5("A", "a") SUB5("A", "$share/g/t", "02") IN5("C", "c") "C> 34[ 't' 0001 {} \"1\" ]\n"
        "A< 34[ 't' 0001 {} \"1\" ]\n" IN5("B", "b") SUB5("B", "$share/g/t", "02") "A-\n" "B.\n"},
    /* 34 */
    {.name = "checklist 34: reason strings, where something can be said", .script =
        IN5("A", "a") "A> 32[ 'owned/set' 0001 {} \"x\" ]\n"
        "A< 40[ 0001 87 {1F 'it is owned by line_guard'} ]\n"},
    {.name = "checklist 34: none in PUBACK without problem information", .script =
        "A> 10[ 'MQTT' 05 02 0000 {17 00} 'a' ]\n" "A< ok\n" "A> 32[ 'owned/set' 0001 {} \"x\" ]\n" "A< 40[ 0001 87 ]\n"},
    {.name = "checklist 34: none in PUBREC without problem information", .script =
        "A> 10[ 'MQTT' 05 02 0000 {17 00} 'a' ]\n" "A< ok\n" "A> 34[ 'owned/set' 0001 {} \"x\" ]\n" "A< 50[ 0001 87 ]\n"},
    {.name = "checklist 34: user properties of PUBLISH all the same", .script =
        "A> 10[ 'MQTT' 05 02 0000 {17 00} 'a' ]\n" "A< ok\n" SUB5("A", "t", "00") "A> 30[ 't' {26 'k' 'v'} ]\n"
        "A< 30[ 't' {26 'k' 'v'} ]\n"},
};
/* clang-format on */
const struct checks mqtt_checks_subscribe = {checks, sizeof(checks) / sizeof(checks[0])};
