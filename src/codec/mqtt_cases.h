/* mqtt_cases: valid packets as hex against text, for the codec's tests. From the standards'
 * examples and tables; every packet type, property and short form is here. */
#pragma once

#include "codec/mqtt.h"

struct mqtt_case {
    const char *label;
    enum mqtt_version version;
    bool is_server;
    const char *hex;  /* blanks are ignored */
    const char *text; /* see tests/support/mqtt_text.h */
};

/* clang-format off */
static const struct mqtt_case mqtt_valid[] = {
    /* CONNECT, CONNACK */
    {"3.1.1 connect, least", MQTT_NEW, true, "10 0D 0004 4D515454 04 02 003C 0001 61",
     "CONNECT v4 keep-alive=60 clean=1 id=a"},
    {"3.1.1 connect, empty id, clean", MQTT_NEW, true, "10 0C 0004 4D515454 04 02 0000 0000",
     "CONNECT v4 keep-alive=0 clean=1 id=''"},
    {"3.1.1 connect, will, user, password", MQTT_NEW, true,
     "10 1B 0004 4D515454 04 F4 000A 0001 63 0001 77 0002 6279 0001 75 0002 7000",
     "CONNECT v4 keep-alive=10 clean=0 id=c will-qos=2 will-retain=1 will-topic=w will=by user=u password=p\\x00"},
    {"3.1.1 connect, user only, empty", MQTT_NEW, true, "10 0F 0004 4D515454 04 82 0000 0001 61 0000",
     "CONNECT v4 keep-alive=0 clean=1 id=a user=''"},
    {"5.0 connect, least, empty id", MQTT_NEW, true, "10 0D 0004 4D515454 05 00 FFFF 00 0000",
     "CONNECT v5 keep-alive=65535 clean=0 id=''"},
    {"5.0 connect, password without user", MQTT_NEW, true,
     "10 11 0004 4D515454 05 42 0000 00 0001 61 0001 70", "CONNECT v5 keep-alive=0 clean=1 id=a password=p"},
    {"5.0 connect, every property", MQTT_NEW, true,
     "10 3B 0004 4D515454 05 02 0000 2D 1100000E10 2100FF 2700010000 220010 1901 1700 26 0001 61 0001 62"
     " 26 0001 61 0001 62 15 0003 585858 16 0002 00FF 0001 61",
     "CONNECT v5 keep-alive=0 clean=1 id=a { session-expiry=3600 problem-info=0 want-response-info=1 "
     "receive-max=255 alias-max=16 max-size=65536 auth-method=XXX auth-data=\\x00\\xff a:b a:b }"},
    {"5.0 connect, every will property", MQTT_NEW, true,
     "10 38 0004 4D515454 05 0E 0000 00 0001 61 24 1800000005 0101 0200000009 03 0001 74 08 0001 72 09 0001 63"
     " 26 0001 6B 0000 26 0000 0001 76 0001 77 0000",
     "CONNECT v5 keep-alive=0 clean=1 id=a will-qos=1 will-retain=0 will-topic=w will='' "
     "{ format=1 expiry=9 will-delay=5 content-type=t response-topic=r correlation=c k:'' '':v }"},
    {"3.1 connect, least", MQTT_NEW, true, "10 0F 0006 4D5149736470 03 02 003C 0001 61",
     "CONNECT v3 keep-alive=60 clean=1 id=a"},
    {"3.1 connect, flags that are not used", MQTT_NEW, true, "10 0F 0006 4D5149736470 03 31 003C 0001 61",
     "CONNECT v3 keep-alive=60 clean=0 id=a"},
    {"3.1 connect, will, user, password, an id of 24", MQTT_NEW, true,
     "10 33 0006 4D5149736470 03 F6 000A 0018 616263646566676869 6A6B6C6D6E6F707172 737475767778 0001 77 0002 6279"
     " 0001 75 0001 70",
     "CONNECT v3 keep-alive=10 clean=1 id=abcdefghijklmnopqrstuvwx will-qos=2 will-retain=1 will-topic=w will=by "
     "user=u password=p"},
    {"3.1 connect, user and password announced and missing", MQTT_NEW, true,
     "10 0F 0006 4D5149736470 03 C2 0000 0001 61", "CONNECT v3 keep-alive=0 clean=1 id=a"},
    {"3.1 connect, password announced and missing", MQTT_NEW, true,
     "10 12 0006 4D5149736470 03 C2 0000 0001 61 0001 75", "CONNECT v3 keep-alive=0 clean=1 id=a user=u"},
    {"3.1 connack", MQTT_V31, false, "20 02 00 00", "CONNACK reason=00 session=0"},
    {"3.1 connack, a byte that is not used", MQTT_V31, false, "20 02 FF 05", "CONNACK reason=05 session=0"},
    {"3.1 subscribe, again", MQTT_V31, true, "8A 06 0001 0001 61 01", "SUBSCRIBE id=1 count=1 filter=a:01"},
    {"3.1 pubrel, again", MQTT_V31, true, "6A 02 0001", "PUBREL id=1 reason=00"},
    {"3.1 pingreq with flags", MQTT_V31, true, "CF 00", "PINGREQ"},
    {"3.1 suback", MQTT_V31, false, "90 05 0001 000102", "SUBACK id=1 codes 00 01 02"},
    {"3.1.1 connack", MQTT_V311, false, "20 02 01 00", "CONNACK reason=00 session=1"},
    {"3.1.1 connack, refused", MQTT_V311, false, "20 02 00 05", "CONNACK reason=05 session=0"},
    {"5.0 connack, least", MQTT_V5, false, "20 03 00 00 00", "CONNACK reason=00 session=0"},
    {"5.0 connack, refused with a reason", MQTT_V5, false, "20 08 00 87 05 1F 0002 6E6F",
     "CONNACK reason=87 session=0 { why=no }"},
    {"5.0 connack, every property", MQTT_V5, false,
     "20 46 01 00 43 1100000001 210001 2401 2500 2700000100 12 0001 69 22FFFF 1F 0001 73 26 0001 61 0001 62"
     " 2800 2901 2A00 130005 1A 0001 72 1C 0001 68 15 0001 6D 16 0001 64 26 0001 62 0001 61",
     "CONNACK reason=00 session=1 { session-expiry=1 server-keep-alive=5 receive-max=1 alias-max=65535 max-qos=1 "
     "retain-ok=0 max-size=256 wildcard-ok=0 sub-ids-ok=1 shared-ok=0 assigned-id=i auth-method=m auth-data=d "
     "response-info=r server-ref=h why=s a:b b:a }"},
    /* PUBLISH */
    {"publish QoS 0", MQTT_V311, true, "30 05 0003 612F62", "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a/b payload=''"},
    {"publish QoS 1, dup, retain", MQTT_V311, false, "3B 07 0001 61 0007 6869",
     "PUBLISH qos=1 dup=1 retain=1 id=7 topic=a payload=hi"},
    {"publish QoS 2, largest id", MQTT_V311, true, "34 05 0001 61 FFFF",
     "PUBLISH qos=2 dup=0 retain=0 id=65535 topic=a payload=''"},
    {"publish, binary payload", MQTT_V311, true, "30 07 0001 61 00FF80C0",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a payload=\\x00\\xff\\x80\\xc0"},
    {"publish, topic of 2, 3 and 4 byte characters", MQTT_V311, true, "30 0B 0009 C3A4 E282AC F09F9880",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic=\\xc3\\xa4\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80 payload=''"},
    {"publish, topic of slashes and dollar", MQTT_V311, true, "30 05 0003 242F2F",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic=$// payload=''"},
    {"5.0 publish, no properties", MQTT_V5, true, "30 05 0001 61 00 78",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a payload=x"},
    {"5.0 publish, alias without topic", MQTT_V5, true, "30 06 0000 03 230001",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic='' payload='' { alias=1 }"},
    {"5.0 publish, every property of a client", MQTT_V5, true,
     "32 2C 0001 61 0001 25 0101 0200000001 230005 08 0001 72 09 0000 26 0001 61 0001 32 26 0001 61 0001 31"
     " 03 0003 6A2F6B 78",
     "PUBLISH qos=1 dup=0 retain=0 id=1 topic=a payload=x { format=1 expiry=1 alias=5 content-type=j/k "
     "response-topic=r correlation='' a:2 a:1 }"},
    {"5.0 publish, subscription ids of a server", MQTT_V5, false, "30 0F 0001 61 0B 0B01 0BFFFFFF7F 0B01 0B02",
     "PUBLISH qos=0 dup=0 retain=0 id=0 topic=a payload='' { sub-id=1 id:1 id:268435455 id:1 id:2 }"},
    /* PUBACK, PUBREC, PUBREL, PUBCOMP */
    {"puback", MQTT_V311, true, "40 02 0001", "PUBACK id=1 reason=00"},
    {"pubrec", MQTT_V311, true, "50 02 0100", "PUBREC id=256 reason=00"},
    {"pubrel", MQTT_V311, true, "62 02 0001", "PUBREL id=1 reason=00"},
    {"pubcomp", MQTT_V311, false, "70 02 0001", "PUBCOMP id=1 reason=00"},
    {"5.0 puback, no reason", MQTT_V5, false, "40 02 0001", "PUBACK id=1 reason=00"},
    {"5.0 puback, reason only", MQTT_V5, false, "40 03 0001 10", "PUBACK id=1 reason=10"},
    {"5.0 pubrec, reason and no properties", MQTT_V5, true, "50 04 0001 97 00", "PUBREC id=1 reason=97"},
    {"5.0 pubrel, properties", MQTT_V5, true, "62 0F 0001 92 0B 1F 0001 78 26 0001 61 0001 62",
     "PUBREL id=1 reason=92 { why=x a:b }"},
    {"5.0 pubcomp", MQTT_V5, true, "70 03 0001 92", "PUBCOMP id=1 reason=92"},
    /* SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK */
    {"3.1.1 subscribe", MQTT_V311, true, "82 0C 0001 0001 23 00 0003 2B2F61 02",
     "SUBSCRIBE id=1 count=2 filter=#:00 filter=+/a:02"},
    {"5.0 subscribe, options and id", MQTT_V5, true, "82 0E 0009 02 0B07 0001 61 2D 0002 2F2B 0E",
     "SUBSCRIBE id=9 count=2 filter=a:2d filter=/+:0e { sub-id=7 id:7 }"},
    {"5.0 subscribe, shared", MQTT_V5, true, "82 11 0009 00 000B 2473686172652F672F2F23 01",
     "SUBSCRIBE id=9 count=1 filter=$share/g//#:01"},
    {"5.0 subscribe, user property", MQTT_V5, true, "82 0E 0001 07 26 0001 61 0001 62 0001 61 00",
     "SUBSCRIBE id=1 count=1 filter=a:00 { a:b }"},
    {"3.1.1 suback", MQTT_V311, false, "90 06 0001 00010280", "SUBACK id=1 codes 00 01 02 80"},
    {"5.0 suback", MQTT_V5, false, "90 0F 0001 00 000102 80 83 87 8F 91 97 9E A1 A2",
     "SUBACK id=1 codes 00 01 02 80 83 87 8f 91 97 9e a1 a2"},
    {"5.0 suback, reason", MQTT_V5, false, "90 08 0001 04 1F 0001 6E 00", "SUBACK id=1 codes 00 { why=n }"},
    {"3.1.1 unsubscribe", MQTT_V311, true, "A2 08 0001 0001 61 0001 62", "UNSUBSCRIBE id=1 count=2 filter=a filter=b"},
    {"5.0 unsubscribe", MQTT_V5, true, "A2 0D 0001 07 26 0001 61 0001 62 0001 61",
     "UNSUBSCRIBE id=1 count=1 filter=a { a:b }"},
    {"3.1.1 unsuback", MQTT_V311, false, "B0 02 0001", "UNSUBACK id=1 codes"},
    {"5.0 unsuback", MQTT_V5, false, "B0 09 0001 00 00 11 80 83 87 8F", "UNSUBACK id=1 codes 00 11 80 83 87 8f"},
    /* PINGREQ, PINGRESP, DISCONNECT, AUTH */
    {"pingreq", MQTT_V311, true, "C0 00", "PINGREQ"},
    {"pingresp", MQTT_V5, false, "D0 00", "PINGRESP"},
    {"3.1.1 disconnect", MQTT_V311, true, "E0 00", "DISCONNECT reason=00"},
    {"5.0 disconnect, nothing", MQTT_V5, true, "E0 00", "DISCONNECT reason=00"},
    {"5.0 disconnect, reason", MQTT_V5, false, "E0 01 8E", "DISCONNECT reason=8e"},
    {"5.0 disconnect of a client", MQTT_V5, true, "E0 0A 04 08 1100000000 1F 0000",
     "DISCONNECT reason=04 { session-expiry=0 why='' }"},
    {"5.0 disconnect of a server", MQTT_V5, false, "E0 0D 9C 0B 1C 0001 68 26 0001 61 0001 62",
     "DISCONNECT reason=9c { server-ref=h a:b }"},
    {"5.0 auth, nothing", MQTT_V5, false, "F0 00", "AUTH reason=00"},
    {"5.0 auth, continue", MQTT_V5, true, "F0 0A 18 08 15 0001 6D 16 0001 64",
     "AUTH reason=18 { auth-method=m auth-data=d }"},
    {"5.0 auth, again", MQTT_V5, true, "F0 11 19 0F 15 0001 6D 1F 0001 77 26 0001 61 0001 62",
     "AUTH reason=19 { auth-method=m why=w a:b }"},
};
/* clang-format on */
