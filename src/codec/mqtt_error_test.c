#include "tests/support/mqtt_text.h"
#include "tests/support/test.h"

#include <string.h>

#define S3 MQTT_V31, true
#define S4 MQTT_V311, true
#define S5 MQTT_V5, true
#define C4 MQTT_V311, false
#define C5 MQTT_V5, false
#define SN MQTT_NEW, true

struct bad {
    const char *label;
    enum mqtt_version version;
    bool is_server;
    const char *hex;
    uint8_t reason;
    const char *part; /* of fault.text */
};

/* clang-format off */
static const struct bad frames[] = {
    {"checklist 1: the first packet is PINGREQ", SN, "C0", 0x82, "first packet"},
    {"checklist 1: the first packet is PUBLISH", SN, "30 05", 0x82, "first packet"},
    {"checklist 1: a second CONNECT, 3.1.1", S4, "10", 0x82, "second CONNECT"},
    {"checklist 1: a second CONNECT, 5.0", S5, "10", 0x82, "second CONNECT"},
    {"2.1.2: type 0", S5, "00 00", 0x81, "reserved packet type"},
    {"3.1.1 2.2.1: type 15", S4, "F0 00", 0x81, "reserved packet type"},
    {"3.1: type 15", S3, "F0 00", 0x81, "reserved packet type"},
    {"3.1: DISCONNECT to a client", MQTT_V31, false, "E0 00", 0x82, "other side"},
    {"3.1: QoS 3", S3, "36", 0x81, "QoS of 3"},
    {"checklist 2: trailing byte of PINGREQ, 3.1", S3, "C0 01 00", 0x81, "behind"},
    {"type 15 of a 3.1.1 server", C4, "F0 00", 0x81, "reserved packet type"},
    {"CONNECT to a client", C5, "10", 0x82, "other side"},
    {"SUBSCRIBE to a client", C5, "82", 0x82, "other side"},
    {"UNSUBSCRIBE to a client", C5, "A2", 0x82, "other side"},
    {"PINGREQ to a client", C4, "C0", 0x82, "other side"},
    {"CONNACK to a server", S5, "20", 0x82, "other side"},
    {"SUBACK to a server", S5, "90", 0x82, "other side"},
    {"UNSUBACK to a server", S5, "B0", 0x82, "other side"},
    {"PINGRESP to a server", S5, "D0", 0x82, "other side"},
    {"3.1.1: DISCONNECT to a client", C4, "E0 00", 0x82, "other side"},
    {"2.1.3-1: flags of CONNECT", SN, "11", 0x81, "flags"},
    {"2.1.3-1: flags of CONNACK", C5, "28", 0x81, "flags"},
    {"2.1.3-1: flags of PUBACK", S4, "41", 0x81, "flags"},
    {"2.1.3-1: flags of PUBREC", S5, "58", 0x81, "flags"},
    {"3.6.1-1: flags of PUBREL are 0", S5, "60", 0x81, "flags"},
    {"3.6.1-1: flags of PUBREL are 3", S4, "63", 0x81, "flags"},
    {"2.1.3-1: flags of PUBCOMP", S5, "72", 0x81, "flags"},
    {"3.8.1-1: flags of SUBSCRIBE", S5, "80", 0x81, "flags"},
    {"2.1.3-1: flags of SUBACK", C5, "92", 0x81, "flags"},
    {"3.10.1-1: flags of UNSUBSCRIBE", S5, "A0", 0x81, "flags"},
    {"2.1.3-1: flags of UNSUBACK", C5, "B2", 0x81, "flags"},
    {"2.1.3-1: flags of PINGREQ", S4, "C1", 0x81, "flags"},
    {"2.1.3-1: flags of PINGRESP", C4, "D4", 0x81, "flags"},
    {"3.14.1-1: flags of DISCONNECT", S5, "E2", 0x81, "flags"},
    {"3.15.1-1: flags of AUTH", S5, "F1", 0x81, "flags"},
    {"checklist 2: length of 5 bytes", S4, "30 FF FF FF FF 01", 0x81, "length"},
    {"checklist 2: fourth byte says there is more", S4, "30 80 80 80 80", 0x81, "length"},
    {"checklist 2: length 0 in two bytes", S4, "C0 80 00", 0x81, "length"},
    {"checklist 2: length 5 in three bytes", S5, "30 85 80 00", 0x81, "length"},
    {"checklist 2: trailing byte of PINGREQ", S4, "C0 01 00", 0x81, "behind"},
    {"checklist 2: trailing byte of PINGRESP", C5, "D0 01 00", 0x81, "behind"},
    {"checklist 2: trailing byte of DISCONNECT, 3.1.1", S4, "E0 01 00", 0x81, "behind"},
    {"checklist 2: trailing byte of DISCONNECT, 5.0", S5, "E0 03 00 00 00", 0x81, "behind"},
    {"checklist 2: trailing byte of PUBACK, 3.1.1", S4, "40 03 0001 00", 0x81, "behind"},
    {"checklist 2: trailing byte of PUBACK, 5.0", S5, "40 05 0001 00 00 00", 0x81, "behind"},
    {"checklist 2: trailing byte of UNSUBACK, 3.1.1", C4, "B0 03 0001 00", 0x81, "behind"},
    {"checklist 2: trailing byte of CONNACK, 3.1.1", C4, "20 03 00 00 00", 0x81, "behind"},
    {"checklist 2: trailing byte of CONNECT", SN, "10 0E 0004 4D515454 04 02 003C 0001 61 00", 0x81, "behind"},
};

static const struct bad connects[] = {
    {"empty CONNECT", SN, "10 00", 0x81, "passes the end"},
    {"checklist 5: level 4 with the old name", SN, "10 0F 0006 4D5149736470 04 02 003C 0001 61", 0x84, "level"},
    {"checklist 6: 3.1, no id", SN, "10 0E 0006 4D5149736470 03 02 003C 0000", 0x85, "no client id"},
    {"3.1: will QoS 3", SN, "10 14 0006 4D5149736470 03 1E 003C 0001 61 0001 77 0000", 0x81, "will QoS of 3"},
    {"3.1: half a user name", SN, "10 11 0006 4D5149736470 03 82 003C 0001 61 0002", 0x81, "passes the end"},
    {"3.1.2-1: name in small letters", SN, "10 0D 0004 6D717474 04 02 003C 0001 61", 0x84, "name"},
    {"3.1.2-1: an empty name", SN, "10 09 0000 04 02 003C 0001 61", 0x84, "name"},
    {"3.1.2-2: level 3 with the new name", SN, "10 0D 0004 4D515454 03 02 003C 0001 61", 0x84, "level"},
    {"3.1.2-2: level 6", SN, "10 0D 0004 4D515454 06 02 003C 0001 61", 0x84, "level"},
    {"3.1.2-2: level 0x84 of a bridge", SN, "10 0D 0004 4D515454 84 02 003C 0001 61", 0x84, "level"},
    {"checklist 4: reserved flag", SN, "10 0D 0004 4D515454 04 03 003C 0001 61", 0x81, "reserved flag"},
    {"checklist 4: reserved flag, 5.0", SN, "10 0E 0004 4D515454 05 03 003C 00 0001 61", 0x81, "reserved flag"},
    {"checklist 4: will QoS 3", SN, "10 12 0004 4D515454 04 1E 003C 0001 61 0001 77 0000", 0x81, "will QoS of 3"},
    {"checklist 4: will QoS without will", SN, "10 0D 0004 4D515454 04 0A 003C 0001 61", 0x81, "without a will"},
    {"checklist 4: will retain without will", SN, "10 0D 0004 4D515454 04 22 003C 0001 61", 0x81, "without a will"},
    {"checklist 4: 3.1.1, password without user", SN, "10 10 0004 4D515454 04 42 003C 0001 61 0001 70", 0x81, "without a user"},
    {"checklist 6: 3.1.1, empty id, kept session", SN, "10 0C 0004 4D515454 04 00 003C 0000", 0x85, "no client id"},
    {"checklist 3: U+0000 in the id", SN, "10 0D 0004 4D515454 04 02 003C 0001 00", 0x81, "UTF-8"},
    {"checklist 3: a surrogate in the id", SN, "10 0F 0004 4D515454 04 02 003C 0003 EDA080", 0x81, "UTF-8"},
    {"checklist 3: an overlong form in the user", SN, "10 11 0004 4D515454 04 82 003C 0001 61 0002 C080", 0x81, "UTF-8"},
    {"checklist 3: U+0000 in the will topic", SN, "10 12 0004 4D515454 04 06 003C 0001 61 0001 00 0000", 0x81, "UTF-8"},
    {"will topic with a wildcard", SN, "10 12 0004 4D515454 04 06 003C 0001 61 0001 23 0000", 0x90, "will's topic"},
    {"empty will topic", SN, "10 11 0004 4D515454 04 06 003C 0001 61 0000 0000", 0x90, "will's topic"},
    {"will is missing", SN, "10 0D 0004 4D515454 04 06 003C 0001 61", 0x81, "passes the end"},
    {"user is missing", SN, "10 0D 0004 4D515454 04 82 003C 0001 61", 0x81, "passes the end"},
    {"password passes the end", SN, "10 12 0004 4D515454 04 C2 003C 0001 61 0000 0005 61", 0x81, "passes the end"},
    {"keep-alive is cut", SN, "10 09 0004 4D515454 04 02 00", 0x81, "passes the end"},
    {"properties are missing, 5.0", SN, "10 0A 0004 4D515454 05 02 003C", 0x81, "passes the end"},
    {"3.1.2.11.10: data without method", SN, "10 12 0004 4D515454 05 02 0000 04 16 0001 64 0001 61", 0x82, "without a method"},
    {"3.2.2-1: reserved flags of CONNACK", C4, "20 02 02 00", 0x81, "reserved"},
    {"3.2.2-6: a session with an error", C5, "20 03 01 87 00", 0x82, "session"},
    {"checklist 8: the same, 3.1.1", C4, "20 02 01 02", 0x82, "session"},
    {"3.1.1: return code 6", C4, "20 02 00 06", 0x82, "return code"},
    {"reason of another packet in CONNACK", C5, "20 03 00 10 00", 0x82, "reason code"},
    {"reason above all", C5, "20 03 00 FF 00", 0x82, "reason code"},
    {"CONNACK is cut", C5, "20 01 00", 0x81, "passes the end"},
};

static const struct bad publishes[] = {
    {"3.3.1-4: QoS 3", S5, "36", 0x81, "QoS of 3"},
    {"3.3.1-2: DUP with QoS 0", S4, "38", 0x81, "DUP"},
    {"checklist 27: no topic, 3.1.1", S4, "30 02 0000", 0x82, "no topic"},
    {"checklist 27: no topic and no alias, 5.0", S5, "30 03 0000 00", 0x82, "no topic"},
    {"checklist 27: +", S4, "30 05 0003 612F2B", 0x90, "wildcard"},
    {"checklist 27: #", S5, "30 04 0001 23 00", 0x90, "wildcard"},
    {"checklist 3: U+0000", S4, "30 05 0003 610062", 0x81, "UTF-8"},
    {"checklist 3: a surrogate", S4, "30 05 0003 EDBFBF", 0x81, "UTF-8"},
    {"checklist 3: above U+10FFFF", S4, "30 06 0004 F4908080", 0x81, "UTF-8"},
    {"checklist 3: cut within a character", S4, "30 04 0002 E282", 0x81, "UTF-8"},
    {"the topic passes the end", S4, "30 04 0005 6161", 0x81, "passes the end"},
    {"checklist 18: id 0, QoS 1", S4, "32 05 0001 61 0000", 0x82, "packet id"},
    {"checklist 18: id 0, QoS 2", S5, "34 06 0001 61 0000 00", 0x82, "packet id"},
    {"the id passes the end", S4, "32 04 0001 61 00", 0x81, "passes the end"},
    {"properties are missing", S5, "30 03 0001 61", 0x81, "passes the end"},
    {"properties pass the end", S5, "30 05 0001 61 05 26", 0x81, "passes the end"},
    {"properties' length is not minimal", S5, "30 06 0001 61 8000 00", 0x81, "passes the end"},
    {"checklist 21: alias 0", S5, "30 07 0001 61 03 230000", 0x94, "alias"},
    {"checklist 21: alias 0 to a client", C5, "30 07 0001 61 03 230000", 0x94, "alias"},
    {"checklist 23: alias twice", S5, "30 0A 0001 61 06 230001 230002", 0x82, "twice"},
    {"checklist 23: format 2", S5, "30 06 0001 61 02 0102", 0x82, "neither 0 nor 1"},
    {"checklist 23: expiry twice", S5, "30 0E 0001 61 0A 0200000001 0200000001", 0x82, "twice"},
    {"checklist 23: a will delay in PUBLISH", S5, "30 09 0001 61 05 1800000001", 0x82, "another packet"},
    {"checklist 23: an unknown property", S5, "30 05 0001 61 01 04", 0x81, "unknown property"},
    {"checklist 23: property 0", S5, "30 05 0001 61 01 00", 0x81, "unknown property"},
    {"checklist 23: an id above the table", S5, "30 06 0001 61 02 FF01", 0x81, "unknown property"},
    {"checklist 23: an id of two bytes that is not minimal", S5, "30 07 0001 61 03 818000", 0x81, "passes the end"},
    {"checklist 23: a property is cut by the length", S5, "30 07 0001 61 03 020000", 0x81, "passes the end"},
    {"checklist 31: id 0 to a client", C5, "30 06 0001 61 02 0B00", 0x82, "identifier of 0"},
    {"checklist 31: a client sends one", S5, "30 06 0001 61 02 0B01", 0x82, "another packet"},
    {"checklist 24: U+0000 in a user property", S5, "30 0B 0001 61 07 26 0001 00 0001 62", 0x81, "UTF-8"},
    {"checklist 24: a bad value of a user property", S5, "30 0B 0001 61 07 26 0001 61 0001 FF", 0x81, "UTF-8"},
    {"checklist 24: a bad content type", S5, "30 08 0001 61 04 03 0001 80", 0x81, "UTF-8"},
    {"3.3.2-14: response topic with a wildcard", S5, "30 08 0001 61 04 08 0001 2B", 0x82, "response topic"},
    {"response topic is empty", S5, "30 07 0001 61 03 08 0000", 0x82, "response topic"},
    {"response topic is not UTF-8", S5, "30 08 0001 61 04 08 0001 C0", 0x81, "UTF-8"},
    {"2.2.1-3: PUBACK of id 0", S4, "40 02 0000", 0x82, "packet id"},
    {"PUBREL of id 0", S5, "62 02 0000", 0x82, "packet id"},
    {"PUBACK is cut", S4, "40 01 00", 0x81, "passes the end"},
    {"PUBACK with PUBREL's reason", S5, "40 03 0001 92", 0x82, "reason code"},
    {"PUBREL with PUBACK's reason", S5, "62 03 0001 80", 0x82, "reason code"},
    {"PUBACK of a client: no subscribers", S5, "40 03 0001 10", 0x82, "reason code"},
    {"PUBCOMP with an unknown reason", C5, "70 03 0001 FE", 0x82, "reason code"},
    {"PUBACK with an expiry", S5, "40 09 0001 00 05 0200000001", 0x82, "another packet"},
    {"PUBREC with two reason strings", S5, "50 0A 0001 00 06 1F0000 1F0000", 0x82, "twice"},
};

static const struct bad subscribes[] = {
    {"checklist 32: SUBSCRIBE without filters", S4, "82 02 0001", 0x82, "no topic filter"},
    {"checklist 32: the same, 5.0", S5, "82 03 0001 00", 0x82, "no topic filter"},
    {"checklist 32: UNSUBSCRIBE without filters", S4, "A2 02 0001", 0x82, "no topic filter"},
    {"id 0", S4, "82 06 0000 0001 61 00", 0x82, "packet id"},
    {"UNSUBSCRIBE of id 0", S5, "A2 06 0000 00 0001 61", 0x82, "packet id"},
    {"options are missing", S4, "82 05 0001 0001 61", 0x81, "passes the end"},
    {"the second filter is cut", S4, "82 08 0001 0001 61 00 0001", 0x81, "passes the end"},
    {"3.1.1: reserved bits of the QoS", S4, "82 06 0001 0001 61 04", 0x81, "reserved bits"},
    {"3.8.3-5: reserved bits of the options", S5, "82 07 0001 00 0001 61 40", 0x81, "reserved bits"},
    {"QoS 3", S4, "82 06 0001 0001 61 03", 0x82, "QoS of 3"},
    {"retain handling 3", S5, "82 07 0001 00 0001 61 30", 0x82, "retain handling"},
    {"checklist 30: no local on $share", S5, "82 10 0001 00 000A 2473686172652F672F61 04", 0x82, "no local"},
    {"checklist 25: an empty filter", S4, "82 05 0001 0000 00", 0x8F, "topic filter"},
    {"checklist 25: a#", S4, "82 07 0001 0002 6123 00", 0x8F, "topic filter"},
    {"checklist 25: #/a", S4, "82 08 0001 0003 232F61 00", 0x8F, "topic filter"},
    {"checklist 25: a+", S5, "A2 07 0001 00 0002 612B", 0x8F, "topic filter"},
    {"checklist 33: $share/g", S5, "82 0E 0001 00 0008 2473686172652F67 00", 0x8F, "topic filter"},
    {"checklist 3: a surrogate in a filter", S4, "82 08 0001 0003 EDA080 00", 0x81, "UTF-8"},
    {"checklist 3: U+0000 in UNSUBSCRIBE", S4, "A2 05 0001 0001 00", 0x81, "UTF-8"},
    {"checklist 31: subscription id 0", S5, "82 09 0001 02 0B00 0001 61 00", 0x82, "identifier of 0"},
    {"checklist 31: subscription id twice", S5, "82 0B 0001 04 0B01 0B02 0001 61 00", 0x82, "twice"},
    {"checklist 31: in UNSUBSCRIBE", S5, "A2 08 0001 02 0B01 0001 61", 0x82, "another packet"},
    {"checklist 23: SUBSCRIBE with a reason string", S5, "82 0A 0001 03 1F0000 0001 61 00", 0x82, "another packet"},
    {"checklist 32: SUBACK without codes", C4, "90 02 0001", 0x82, "no reason code"},
    {"checklist 32: UNSUBACK without codes", C5, "B0 03 0001 00", 0x82, "no reason code"},
    {"3.1.1: SUBACK code 3", C4, "90 03 0001 03", 0x82, "return code"},
    {"3.1: SUBACK code 80, which 3.1.1 brought", MQTT_V31, false, "90 03 0001 80", 0x82, "return code"},
    {"SUBACK code of another packet", C5, "90 04 0001 00 11", 0x82, "reason code"},
    {"UNSUBACK code of another packet", C5, "B0 04 0001 00 01", 0x82, "reason code"},
    {"SUBACK of id 0", C5, "90 04 0000 00 00", 0x82, "packet id"},
};

static const struct bad ends[] = {
    {"DISCONNECT: a server's reason from a client", S5, "E0 01 8E", 0x82, "reason code"},
    {"DISCONNECT: a client's reason from a server", C5, "E0 01 04", 0x82, "reason code"},
    {"DISCONNECT: an unknown reason", S5, "E0 01 7F", 0x82, "reason code"},
    {"3.14.2-2: session expiry from a server", C5, "E0 07 00 05 1100000001", 0x82, "another packet"},
    {"a server reference from a client", S5, "E0 06 00 04 1C 0001 68", 0x82, "another packet"},
    {"DISCONNECT: properties are cut", S5, "E0 02 00 05", 0x81, "passes the end"},
    {"AUTH without a method", S5, "F0 02 18 00", 0x82, "without a method"},
    {"AUTH without properties", S5, "F0 01 18", 0x81, "passes the end"},
    {"AUTH: success from a client", S5, "F0 00", 0x82, "reason code"},
    {"AUTH: again from a server", C5, "F0 06 19 04 15 0001 6D", 0x82, "reason code"},
    {"AUTH: an unknown reason", C5, "F0 06 17 04 15 0001 6D", 0x82, "reason code"},
};

/* Checklist 23, one row for each property with a rule of its own: CONNECT and CONNACK. */
static const struct bad properties[] = {
    {"receive maximum 0", SN, "10 11 0004 4D515454 05 02 0000 03 210000 0001 61", 0x82, "receive maximum"},
    {"maximum packet size 0", SN, "10 13 0004 4D515454 05 02 0000 05 2700000000 0001 61", 0x82, "packet size"},
    {"problem information 2", SN, "10 10 0004 4D515454 05 02 0000 02 1702 0001 61", 0x82, "neither 0 nor 1"},
    {"response information 2", SN, "10 10 0004 4D515454 05 02 0000 02 1902 0001 61", 0x82, "neither 0 nor 1"},
    {"session expiry twice", SN, "10 18 0004 4D515454 05 02 0000 0A 1100000001 1100000001 0001 61", 0x82, "twice"},
    {"server keep-alive from a client", SN, "10 11 0004 4D515454 05 02 0000 03 130001 0001 61", 0x82, "another packet"},
    {"a topic alias in CONNECT", SN, "10 11 0004 4D515454 05 02 0000 03 230001 0001 61", 0x82, "another packet"},
    {"a will delay outside the will", SN, "10 13 0004 4D515454 05 02 0000 05 1800000001 0001 61", 0x82, "another packet"},
    {"a session expiry in the will", SN, "10 19 0004 4D515454 05 06 0000 00 0001 61 05 1100000001 0001 77 0001 78", 0x82, "another packet"},
    {"a topic alias in the will", SN, "10 17 0004 4D515454 05 06 0000 00 0001 61 03 230001 0001 77 0001 78", 0x82, "another packet"},
    {"method is not UTF-8", SN, "10 12 0004 4D515454 05 02 0000 04 15 0001 FE 0001 61", 0x81, "UTF-8"},
    {"a user property is cut", SN, "10 12 0004 4D515454 05 02 0000 04 26 0001 61 0001 61", 0x81, "passes the end"},
    {"maximum QoS 2", C5, "20 05 00 00 02 2402", 0x82, "neither 0 nor 1"},
    {"retain available 2", C5, "20 05 00 00 02 2502", 0x82, "neither 0 nor 1"},
    {"wildcard available 2", C5, "20 05 00 00 02 2802", 0x82, "neither 0 nor 1"},
    {"subscription ids available 255", C5, "20 05 00 00 02 29FF", 0x82, "neither 0 nor 1"},
    {"shared available 2", C5, "20 05 00 00 02 2A02", 0x82, "neither 0 nor 1"},
    {"receive maximum 0 in CONNACK", C5, "20 06 00 00 03 210000", 0x82, "receive maximum"},
    {"maximum packet size 0 in CONNACK", C5, "20 08 00 00 05 2700000000", 0x82, "packet size"},
    {"problem information in CONNACK", C5, "20 05 00 00 02 1701", 0x82, "another packet"},
    {"assigned id twice", C5, "20 0B 00 00 08 12000161 12000161", 0x82, "twice"},
};
/* clang-format on */

static void check_rows(const struct bad *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct bad *r = &rows[i];
        LABEL("%s", r->label);
        uint8_t b[256];
        size_t size = mqtt_unhex(r->hex, b, sizeof(b)), used;
        struct mqtt_decoder d = {.version = r->version, .is_server = r->is_server};
        struct mqtt_packet p;
        memset(&p, 0xA5, sizeof(p));
        if (!CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){b, size}, &p, &used), MQTT_ERROR))
            continue;
        CHECK_EQ_INT(p.fault.reason, r->reason);
        CHECK_HAS_STR(p.fault.text, r->part);
        CHECK(strcmp(mqtt_reason_name(p.fault.reason), "?") != 0);
    }
}

TEST(mqtt_refuses_bad_frames)
{
    check_rows(frames, ARRAY_LEN(frames));
}

TEST(mqtt_refuses_bad_connects)
{
    check_rows(connects, ARRAY_LEN(connects));
}

TEST(mqtt_refuses_bad_publishes)
{
    check_rows(publishes, ARRAY_LEN(publishes));
}

TEST(mqtt_refuses_bad_subscribes)
{
    check_rows(subscribes, ARRAY_LEN(subscribes));
}

TEST(mqtt_refuses_bad_ends)
{
    check_rows(ends, ARRAY_LEN(ends));
}

TEST(mqtt_refuses_bad_properties)
{
    check_rows(properties, ARRAY_LEN(properties));
}

TEST(mqtt_bad_connects_are_answered_in_the_clients_form)
{
    static const struct {
        const char *label, *hex;
        uint8_t answer;
    } rows[] = {
        {"3.1, level 4", "10 0F 0006 4D5149736470 04 02 003C 0001 61", MQTT_V311},
        {"3.1, empty id", "10 0E 0006 4D5149736470 03 02 003C 0000", MQTT_V31},
        {"3.1, will QoS 3", "10 14 0006 4D5149736470 03 1E 003C 0001 61 0001 77 0000", 0},
        {"level 3", "10 0D 0004 4D515454 03 02 003C 0001 61", MQTT_V311},
        {"level 6", "10 0D 0004 4D515454 06 02 003C 0001 61", MQTT_V5},
        {"bridge of level 4", "10 0D 0004 4D515454 84 02 003C 0001 61", MQTT_V311},
        {"an unknown name", "10 0D 0004 48545450 04 02 003C 0001 61", 0},
        {"3.1.1, reserved flag", "10 0D 0004 4D515454 04 03 003C 0001 61", 0},
        {"3.1.1, empty id", "10 0C 0004 4D515454 04 00 003C 0000", MQTT_V311},
        {"5.0, reserved flag", "10 0E 0004 4D515454 05 03 003C 00 0001 61", MQTT_V5},
        {"5.0, trailing byte", "10 0F 0004 4D515454 05 02 003C 00 0001 61 00", MQTT_V5},
        {"flags of the fixed header", "11 00", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        uint8_t b[64];
        size_t n = mqtt_unhex(rows[i].hex, b, sizeof(b)), used;
        struct mqtt_decoder d = {.is_server = true};
        struct mqtt_packet p;
        CHECK_EQ_INT(mqtt_decode(&d, (struct bytes){b, n}, &p, &used), MQTT_ERROR);
        CHECK_EQ_INT(p.fault.answer, rows[i].answer);
    }
}
