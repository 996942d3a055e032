/* Which device has a topic: what the registry would refuse at the start is found by the check. */
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>

#define FAN                                                                                        \
    "site \"s\"\nmodel Fan { property on: bool; event jam; action off() confirms not on; "         \
    "safe off() }\n"                                                                               \
    "model Bare { property heat: °C }\n"
#define BY_CONVENTION "device p.fan: Fan { via mqtt \"fan\" json }\n"

/* All messages of M2, one a line. */
static void check_says(const char *text, const char *want)
{
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    struct lang_site *site;
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    for (size_t i = 0; i < site->diags_n; i++)
        if (str_eq(site->diags[i].code, STR("M2")))
            strbuf_addf(&got, "%.*s\n", STR_FMT(site->diags[i].message));
    CHECK_EQ_STR(got.n ? got.p : "", want);
    if (!want[0])
        CHECK_EQ_UINT(site->errors, 0);
    lang_site_free(site);
    strbuf_fini(&got);
}

/* `topic` is where p.other is commanded, and where it is listened to. */
static void check_topics(const char *listened, const char *commanded, bool first, const char *want)
{
    char other[512], text[2048];
    (void)snprintf(
        other, sizeof(other),
        "device p.other: Fan { property on = on \"%s\"; event jam on \"jams\" is \"jam\"; "
        "action off() publish \"%s\" \"0\" }\n",
        listened, commanded);
    (void)snprintf(text, sizeof(text), FAN "%s%s", first ? other : BY_CONVENTION,
                   first ? BY_CONVENTION : other);
    check_says(text, want);
}

TEST(what_a_device_has_by_convention_is_its_own)
{
    static const struct {
        const char *label, *listened, *commanded, *says;
    } rows[] = {
        {"apart", "other", "other/off", ""},
        {"below it, where the convention has nothing", "other", "fan/off", ""},
        {"another's set below a longer place", "other", "a/fan/set", ""},
        {"commanded where it is commanded", "other", "fan/set",
         "p.other and p.fan are both commanded on the topic fan/set\n"},
        {"commanded where its object comes", "other", "fan",
         "commands go to a topic that is listened to: fan\n"},
        {"commanded where its property comes", "other", "fan/on",
         "commands go to a topic that is listened to: fan/on\n"},
        {"commanded where its event comes", "other", "fan/jam",
         "commands go to a topic that is listened to: fan/jam\n"},
        {"commanded where its telemetry comes", "other", "fan/telemetry",
         "commands go to a topic that is listened to: fan/telemetry\n"},
        {"commanded where it acknowledges", "other", "fan/ack",
         "commands go to a topic that is listened to: fan/ack\n"},
        {"listened to where it is commanded", "fan/set", "other/off",
         "commands go to a topic that is listened to: fan/set\n"},
        {"two listen", "fan/on", "other/off", ""},
        {"both at once", "fan/set", "fan/set",
         "commands go to a topic that is listened to: fan/set\n"
         "p.other and p.fan are both commanded on the topic fan/set\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int first = 0; first < 2; first++) {
            LABEL("%s%s", rows[i].label, first ? ", declared before" : "");
            check_topics(rows[i].listened, rows[i].commanded, first, rows[i].says);
        }
}

TEST(a_device_may_be_commanded_beside_its_own_convention)
{
    check_says(FAN "device p.fan: Fan { via mqtt \"fan\" json; action off() publish \"fan/set\" "
                   "\"0\" }\n",
               "");
    check_says(FAN "device p.fan: Fan { via mqtt \"fan\" json; property on = on \"fan/set\" }\n",
               "commands go to a topic that is listened to: fan/set\n");
}

TEST(one_device_for_each_place_and_one_use_for_each_topic)
{
    check_says(FAN BY_CONVENTION "device p.b: Bare { via mqtt \"fan\" json }\n",
               "p.fan and p.b both use the topic fan\n");
    check_topics("x", "x", false, "commands go to a topic that is listened to: x\n");
}
