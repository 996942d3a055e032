/* Checklist 13, 16 to 24, 26 and 27: publications and what belongs to them. */
#include "protocol/mqtt_checklist_test.h"

/* clang-format off */
static const struct check checks[] = {
    /* 13 */
    {.name = "checklist 13: published at 0", .script =
        IN5("A", "a") "A> 82[ 0001 {} 't' 02 ]\n" "A< 90[ 0001 {} 02 ]\n" "A> 30[ 't' {} ]\n" "A< 30[ 't' {} ]\n"},
    {.name = "checklist 13: published at 1, granted 0, 1 and 2", .script =
        IN5("A", "a") SUB5("A", "t", "00") IN5("B", "b") SUB5("B", "t", "01") IN5("C", "c") SUB5("C", "t", "02")
        IN5("D", "d") "D> 32[ 't' 0001 {} ]\n" "D< 40[ 0001 ]\n" "A< 30[ 't' {} ]\n"
        "B< 32[ 't' 0001 {} ]\n" "C< 32[ 't' 0001 {} ]\n"},
    {.name = "checklist 13: published at 2, granted 0, 1 and 2, 3.1.1", .script =
        IN4("A", "a") SUB4("A", "t", "00") IN4("B", "b") SUB4("B", "t", "01") IN4("C", "c") SUB4("C", "t", "02")
        IN4("D", "d") "D> 34[ 't' 0001 ]\n" "D< 50[ 0001 ]\n" "A< 30[ 't' ]\n" "B< 32[ 't' 0001 ]\n"
        "C< 34[ 't' 0001 ]\n"},
    {.name = "checklist 13: several subscriptions: the highest", .script =
        IN5("A", "a") SUB5("A", "t", "00") SUB5("A", "+", "02") SUB5("A", "#", "01") IN5("B", "b")
        "B> 34[ 't' 0001 {} ]\n" "A< 34[ 't' 0001 {} ]\n" "A.\n"},
    /* 16 */
    {.name = "checklist 16: DUP is not copied, QoS 1", .script =
        IN5("A", "a") SUB5("A", "t", "01") IN5("B", "b") "B> 3A[ 't' 0001 {} ]\n" "B< 40[ 0001 ]\n"
        "A< 32[ 't' 0001 {} ]\n"},
    {.name = "checklist 16: DUP is not copied, QoS 2, 3.1.1", .script =
        IN4("A", "a") SUB4("A", "t", "02") IN4("B", "b") "B> 3C[ 't' 0001 ]\n" "B< 50[ 0001 ]\n"
        "A< 34[ 't' 0001 ]\n"},
    /* 17 */
    {.name = "checklist 17: the id is remembered until PUBREL, 5.0", .script =
        IN5("A", "a") SUB5("A", "t", "00") IN5("B", "b") "B> 34[ 't' 0005 {} \"1\" ]\n" "B< 50[ 0005 ]\n"
        "B> 3C[ 't' 0005 {} \"1\" ]\n" "B< 50[ 0005 ]\n" "A< 30[ 't' {} \"1\" ]\n" "A.\n"
        "B> 62[ 0005 ]\n" "B< 70[ 0005 ]\n" "B> 34[ 't' 0005 {} \"2\" ]\n" "B< 50[ 0005 ]\n"
        "A< 30[ 't' {} \"2\" ]\n"},
    {.name = "checklist 17: the id is remembered until PUBREL, 3.1.1", .script =
        IN4("A", "a") SUB4("A", "t", "00") IN4("B", "b") "B> 34[ 't' 0005 \"1\" ]\n" "B< 50[ 0005 ]\n"
        "B> 3C[ 't' 0005 \"1\" ]\n" "B< 50[ 0005 ]\n" "A< 30[ 't' \"1\" ]\n" "A.\n" "B> 62[ 0005 ]\n"
        "B< 70[ 0005 ]\n"},
    {.name = "checklist 17: over a reconnect", .script =
        IN5("A", "a") SUB5("A", "t", "00") "B> " V5_KEEP("b") "B< ok\n" "B> 34[ 't' 0005 {} \"1\" ]\n"
        "B~ PUBREC id=5\n" "A< 30[ 't' {} \"1\" ]\n" "B-\n" "B> " V5_KEEP("b") "B< ok 1\n"
        "B> 3C[ 't' 0005 {} \"1\" ]\n" "B~ PUBREC id=5\n" "A.\n" "B> 62[ 0005 ]\n" "B< 70[ 0005 ]\n"},
    {.name = "checklist 17: a clean start forgets it", .script =
        IN5("A", "a") SUB5("A", "t", "00") IN5("B", "b") "B> 34[ 't' 0005 {} \"1\" ]\n" "B~ PUBREC id=5\n"
        "A< 30[ 't' {} \"1\" ]\n" "B-\n" IN5("B", "b") "B> 34[ 't' 0005 {} \"2\" ]\n" "B~ PUBREC id=5\n"
        "A< 30[ 't' {} \"2\" ]\n"},
    {.name = "checklist 17: an unknown PUBREL, 5.0", .script =
        IN5("A", "a") "A> 62[ 0009 ]\n" "A< 70[ 0009 92 ]\n" "A.\n"},
    {.name = "checklist 17: an unknown PUBREL, 3.1.1", .script =
        IN4("A", "a") "A> 62[ 0009 ]\n" "A< 70[ 0009 ]\n" "A.\n"},
    {.name = "checklist 17: an unknown PUBREC, 5.0", .script =
        IN5("A", "a") "A> 50[ 0009 ]\n" "A< 62[ 0009 92 ]\n" "A.\n"},
    {.name = "checklist 17: PUBREC above 80 frees the id", .script =
        "A> 10[ 'MQTT' 05 02 0000 {21 0001} 'a' ]\n" "A< ok\n" SUB5("A", "t", "02") IN5("B", "b")
        "B> 34[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n" "A< 34[ 't' 0001 {} \"1\" ]\n" "A.\n"
        "A> 50[ 0001 97 ]\n" "A< 34[ 't' 0002 {} \"2\" ]\n" "A.\n"},
    {.name = "checklist 17: the whole way out", .script =
        IN5("A", "a") SUB5("A", "t", "02") IN5("B", "b") "B> 34[ 't' 0001 {} ]\n" "B< 50[ 0001 ]\n"
        "B> 62[ 0001 ]\n" "B< 70[ 0001 ]\n" "A< 34[ 't' 0001 {} ]\n" "A> 50[ 0001 ]\n" "A< 62[ 0001 ]\n"
        "A> 70[ 0001 ]\n" "A.\n"},
    /* 18; ids that come round: mqtt_checklist_test.c */
    {.name = "checklist 18: PUBLISH with id 0, 5.0", .script =
        IN5("A", "a") "A> 32[ 't' 0000 {} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 18: PUBLISH with id 0, 3.1.1", .script = IN4("A", "a") "A> 34[ 't' 0000 ]\n" "A|\n"},
    {.name = "checklist 18: SUBSCRIBE with id 0", .script =
        IN5("A", "a") "A> 82[ 0000 {} 't' 00 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 18: UNSUBSCRIBE with id 0", .script =
        IN5("A", "a") "A> A2[ 0000 {} 't' ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 18: PUBACK with id 0", .script =
        IN5("A", "a") "A> 40[ 0000 ]\n" "A< E0[ 82 ]\n" "A|\n"},
    /* 19 */
    {.name = "checklist 19: the client's Receive Maximum, of QoS 1 and 2 only", .script =
        "A> 10[ 'MQTT' 05 02 0000 {21 0002} 'a' ]\n" "A< ok\n" SUB5("A", "t", "02") IN5("B", "b")
        "B> 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ] 32[ 't' 0003 {} \"3\" ]\n"
        "A< 32[ 't' 0001 {} \"1\" ] 34[ 't' 0002 {} \"2\" ]\n" "A.\n" "B> 30[ 'u' {} ]\n"
        "A> 50[ 0002 ]\n" "A< 62[ 0002 ]\n" "A.\n" "A> 70[ 0002 ]\n" "A< 32[ 't' 0003 {} \"3\" ]\n" "A.\n"},
    {.name = "checklist 19: Receive Maximum 0", .script =
        "A> 10[ 'MQTT' 05 02 0000 {21 0000} 'a' ]\n" "A< 20[ 00 82 {} ]\n" "A|\n"},
    {.name = "checklist 19: the broker's is told", .receive_max = 2, .script = "A> " V5("a") "A~ receive-max=2 \n"},
    {.name = "checklist 19: too many get 93", .receive_max = 2, .script =
        IN5("A", "a") "A> 34[ 't' 0001 {} ] 34[ 't' 0002 {} ]\n" "A~ PUBREC id=1\n" "A~ PUBREC id=2\n"
        "A> 30[ 't' {} ]\n" "A.\n" "A> 34[ 't' 0003 {} ]\n" "A< E0[ 93 ]\n" "A|\n"},
    {.name = "checklist 19: PUBCOMP gives the place back", .receive_max = 2, .script =
        IN5("A", "a") "A> 34[ 't' 0001 {} ] 34[ 't' 0002 {} ]\n" "A~ PUBREC id=1\n" "A~ PUBREC id=2\n"
        "A> 62[ 0001 ]\n" "A< 70[ 0001 ]\n" "A> 34[ 't' 0003 {} ]\n" "A~ PUBREC id=3\n" "A.\n"},
    {.name = "checklist 19: what is sent again counts once", .receive_max = 2, .script =
        IN5("A", "a") "A> 34[ 't' 0001 {} ] 34[ 't' 0002 {} ]\n" "A~ PUBREC id=1\n" "A~ PUBREC id=2\n"
        "A> 3C[ 't' 0002 {} ]\n" "A~ PUBREC id=2\n" "A.\n"},
    {.name = "checklist 19, 37: QoS 1 that waits for the disk counts", .receive_max = 2, .durable = true, .script =
        IN5("A", "a") "hold\n" "A> 33[ 't' 0001 {} \"x\" ] 33[ 't' 0002 {} \"x\" ]\n" "A.\n"
        "A> 33[ 't' 0003 {} \"x\" ]\n" "A< E0[ 93 ]\n" "A|\n" "release\n"},
    {.name = "checklist 19: 3.1.1 knows no limit and waits", .receive_max = 2, .durable = true, .script =
        IN4("A", "a") "hold\n" "A> 33[ 't' 0001 \"x\" ] 33[ 't' 0002 \"x\" ] 33[ 't' 0003 \"x\" ]\n" "A.\n"
        "release\n" "A< 40[ 0001 ] 40[ 0002 ] 40[ 0003 ]\n"},
    /* 20 */
    {.name = "checklist 20: never more than the client takes, as if it had been delivered", .script =
        "A> 10[ 'MQTT' 05 02 0000 {27 00000014 21 0001} 'a' ]\n" "A~ CONNACK reason=\n" SUB5("A", "t", "01")
        IN5("B", "b") "B> 32[ 't' 0001 {} \"0123456789ABC\" ] 32[ 't' 0002 {} \"0123456789AB\" ]\n"
        "A< 32[ 't' 0001 {} \"0123456789AB\" ]\n" "A.\n" "A> 40[ 0001 ]\n" "B> 30[ 't' {} \"0123456789ABCDE\" ]\n"
        "A.\n" "B> 30[ 't' {} \"0123456789ABCD\" ]\n" "A< 30[ 't' {} \"0123456789ABCD\" ]\n"},
    {.name = "checklist 20: Maximum Packet Size 0", .script =
        "A> 10[ 'MQTT' 05 02 0000 {27 00000000} 'a' ]\n" "A< 20[ 00 82 {} ]\n" "A|\n"},
    {.name = "checklist 20: the broker's is told", .packet_size_max = 200, .script = "A> " V5("a") "A~ max-size=200 \n"},
    {.name = "checklist 20: above it is 95, from the header alone", .packet_size_max = 200, .script =
        IN5("A", "a") "A> 30 C6 01\n" "A< E0[ 95 ]\n" "A|\n"},
    {.name = "checklist 20: exactly it is fine", .packet_size_max = 200, .script =
        IN5("A", "a") SUB5("A", "t", "00") "A> 30 C5 01 0001 74 00 0A\n" "A.\n"},
    {.name = "checklist 20: above it, 3.1.1", .packet_size_max = 200, .script = IN4("A", "a") "A> 30 C6 01\n" "A|\n"},
    /* 21 */
    {.name = "checklist 21: alias 0", .script =
        IN5("A", "a") "A> 30[ 't' {23 0000} ]\n" "A< E0[ 94 ]\n" "A|\n"},
    {.name = "checklist 21: alias over the maximum", .script =
        IN5("A", "a") "A> 30[ 't' {23 0011} ]\n" "A< E0[ 94 ]\n" "A|\n"},
    {.name = "checklist 21: an unknown alias", .script =
        IN5("A", "a") "A> 30[ '' {23 0001} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 21: set, used, set anew", .script =
        IN5("A", "a") SUB5("A", "#", "00") "A> 30[ 't' {23 0010} \"1\" ]\n" "A> 30[ '' {23 0010} \"2\" ]\n"
        "A> 30[ 'u' {23 0010} \"3\" ]\n" "A> 30[ '' {23 0010} \"4\" ]\n"
        "A< 30[ 't' {} \"1\" ] 30[ 't' {} \"2\" ] 30[ 'u' {} \"3\" ] 30[ 'u' {} \"4\" ]\n"},
    {.name = "checklist 21: of one connection", .script =
        "A> " V5_KEEP("a") "A< ok\n" "A> 30[ 't' {23 0001} ]\n" "A-\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A> 30[ '' {23 0001} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 21: of one client", .script =
        IN5("A", "a") IN5("B", "b") "A> 30[ 't' {23 0001} ]\n" "B> 30[ '' {23 0001} ]\n" "B< E0[ 82 ]\n" "B|\n" "A.\n"},
    {.name = "checklist 21: of one direction", .script =
        "A> 10[ 'MQTT' 05 02 0000 {22 0010} 'a' ]\n" "A< ok\n" SUB5("A", "t", "00")
        "A> 30[ 't' {23 0003} \"1\" ]\n" "A~ topic=t payload=1\n"},
    {.name = "checklist 21: none for who allows none", .script =
        IN5("A", "a") SUB5("A", "t", "00") "A> 30[ 't' {} \"1\" ] 30[ 't' {} \"2\" ]\n"
        "A< 30[ 't' {} \"1\" ] 30[ 't' {} \"2\" ]\n"},
    /* 22 */
    {.name = "checklist 22: dropped in a queue, and the rest is forwarded", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A-\n" IN5("B", "b")
        "B> 32[ 't' 0001 {02 00000003} \"1\" ] 32[ 't' 0002 {02 0000000A} \"2\" ] 32[ 't' 0003 {} \"3\" ]\n"
        "wait 4000\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A< 32[ 't' 0001 {02 00000006} \"2\" ] 32[ 't' 0002 {} \"3\" ]\n" "A.\n"},
    {.name = "checklist 22: dropped where it is retained, and the rest is forwarded", .script =
        IN5("B", "b") "B> 31[ 't/1' {02 00000003} \"1\" ] 31[ 't/2' {02 0000000A} \"2\" ]\n" "wait 4000\n"
        IN5("A", "a") SUB5("A", "t/+", "00") "A< 31[ 't/2' {02 00000006} \"2\" ]\n" "A.\n"},
    {.name = "checklist 22: at once it is whole", .script =
        IN5("A", "a") SUB5("A", "t", "00") "A> 30[ 't' {02 00000003} ]\n" "A< 30[ 't' {02 00000003} ]\n"},
    {.name = "checklist 22: what was sent is sent again even so", .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") IN5("B", "b") "B> 32[ 't' 0001 {02 00000003} ]\n"
        "A< 32[ 't' 0001 {02 00000003} ]\n" "A-\n" "wait 10000\n" "A> " V5_KEEP("a") "A< ok 1\n"
        "A~ PUBLISH qos=1 dup=1 retain=0 id=1 topic=t\n"},
    {.name = "checklist 22: over a restart", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A-\n" IN5("B", "b")
        "B> 32[ 't' 0001 {02 00000003} \"1\" ] 32[ 't' 0002 {02 00000064} \"2\" ]\n" "B< 40[ 0001 ] 40[ 0002 ]\n"
        "kill\n" "wait 5000\n" "A> " V5_KEEP("a") "A< ok 1\n" "A~ payload=2 { expiry=\n" "A.\n"},
    /* 23; each property has a row in codec/mqtt_error_test.c */
    {.name = "checklist 23: twice in CONNECT", .script =
        "A> 10[ 'MQTT' 05 02 0000 {21 0001 21 0001} 'a' ]\n" "A< 20[ 00 82 {} ]\n" "A|\n"},
    {.name = "checklist 23: twice in PUBLISH", .script =
        IN5("A", "a") "A> 30[ 't' {03 'x' 03 'x'} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 23: of another packet", .script =
        IN5("A", "a") "A> 30[ 't' {21 0001} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 23: of the other side", .script =
        IN5("A", "a") "A> 30[ 't' {0B 01} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 23: unknown", .script =
        IN5("A", "a") "A> 30[ 't' {7F 01} ]\n" "A< E0[ 81 ]\n" "A|\n"},
    {.name = "checklist 23: a value that it can't have", .script =
        IN5("A", "a") "A> 30[ 't' {01 02} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 23: a response topic with a wildcard", .script =
        IN5("A", "a") "A> 30[ 't' {08 'a/#'} ]\n" "A~ DISCONNECT reason=\n" "A|\n"},
    {.name = "checklist 23: a user property twice is fine", .script =
        IN5("A", "a") "A> 30[ 't' {26 'k' 'v' 26 'k' 'v'} ]\n" "A.\n"},
    /* 24 */
    {.name = "checklist 24: user properties in order, with duplicates; the others untouched", .script =
        IN5("A", "a") SUB5("A", "t", "00")
        "A> 30[ 't' {26 'b' '1' 09 0002 00FF 26 'a' '2' 08 'r' 26 'b' '1' 03 'x/y' 01 01 26 '' ''} \"p\" ]\n"
        "A< 30[ 't' {01 01 03 'x/y' 08 'r' 09 0002 00FF 26 'b' '1' 26 'a' '2' 26 'b' '1' 26 '' ''} \"p\" ]\n"},
    {.name = "checklist 24: the same where it is retained", .script =
        IN5("A", "a") "A> 31[ 't' {26 'b' '1' 26 'a' '2' 26 'b' '1' 03 'x'} \"p\" ]\n"
        SUB5("A", "t", "00") "A< 31[ 't' {03 'x' 26 'b' '1' 26 'a' '2' 26 'b' '1'} \"p\" ]\n"},
    {.name = "checklist 24: the same in a queue over a restart", .durable = true, .script =
        "A> " V5_KEEP("a") "A< ok\n" SUB5("A", "t", "01") "A-\n" IN5("B", "b")
        "B> 32[ 't' 0001 {26 'b' '1' 26 'a' '2' 26 'b' '1' 03 'x'} \"p\" ]\n" "B< 40[ 0001 ]\n" "power\n"
        "A> " V5_KEEP("a") "A< ok 1\n" "A< 32[ 't' 0001 {03 'x' 26 'b' '1' 26 'a' '2' 26 'b' '1'} \"p\" ]\n"},
    {.name = "checklist 24: 3.1.1 is sent none", .script =
        IN4("A", "a") SUB4("A", "t", "00") IN5("B", "b") "B> 30[ 't' {26 'b' '1' 02 00000064} \"p\" ]\n"
        "A< 30[ 't' \"p\" ]\n"},
    /* 26 */
    {.name = "checklist 26: # does not match $", .script =
        IN5("A", "a") SUB5("A", "#", "00") "A> 30[ '$x' {} ] 30[ '$x/y' {} ]\n" "A.\n"},
    {.name = "checklist 26: + does not match $, 3.1.1", .script =
        IN4("A", "a") SUB4("A", "+/y", "00") SUB4("A", "+", "00") "A> 30[ '$x' ] 30[ '$x/y' ]\n" "A.\n"},
    {.name = "checklist 26: its name does, and wildcards behind it", .script =
        IN5("A", "a") SUB5("A", "$x/#", "00") SUB5("A", "$x/+", "00") "A> 30[ '$x/y' {} ]\n"
        "A< 30[ '$x/y' {} ]\n"},
    {.name = "checklist 26: $ behind the front is a letter", .script =
        IN5("A", "a") SUB5("A", "+/#", "00") "A> 30[ 'a/$x' {} ]\n" "A< 30[ 'a/$x' {} ]\n"},
    {.name = "checklist 26: retained messages too", .script =
        IN5("A", "a") "A> 31[ '$x' {} \"1\" ]\n" SUB5("A", "#", "00") "A.\n" "A> 82[ 0001 {} '$x' 00 ]\n"
        "A< 90[ 0001 {} 00 ] 31[ '$x' {} \"1\" ]\n"},
    /* 27 */
    {.name = "checklist 27: a wildcard, 5.0", .script =
        IN5("A", "a") "A> 30[ 'a/+' {} ]\n" "A< E0[ 90 ]\n" "A|\n"},
    {.name = "checklist 27: a wildcard, 3.1.1", .script = IN4("A", "a") "A> 30[ 'a/#' ]\n" "A|\n"},
    {.name = "checklist 27: empty without an alias, 5.0", .script =
        IN5("A", "a") "A> 30[ '' {} ]\n" "A< E0[ 82 ]\n" "A|\n"},
    {.name = "checklist 27: empty, 3.1.1", .script = IN4("A", "a") "A> 30[ '' ]\n" "A|\n"},
    {.name = "checklist 27: a will's topic with a wildcard", .script =
        "A> 10[ 'MQTT' 05 06 0000 {} 'a' {} 'w/#' 'x' ]\n" "A~ CONNACK reason=90\n" "A|\n"},
    {.name = "checklist 27: an empty topic for a will", .script =
        "A> 10[ 'MQTT' 05 06 0000 {} 'a' {} '' 'x' ]\n" "A~ CONNACK reason=90\n" "A|\n"},
};
/* clang-format on */
const struct checks mqtt_checks_publish = {checks, sizeof(checks) / sizeof(checks[0])};
