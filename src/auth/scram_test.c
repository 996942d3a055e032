#include "auth/scram.h"

#include "tests/support/scram_client.h"
#include "tests/support/test.h"
#include <unistd.h>

/* ---- one method, with users in a table ---- */

static const struct {
    const char *user, *line;
} people[] = {
    /* RFC 7677, 3: the password is "pencil". */
    {"user",
     "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
     "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="},
    /* The same with a name that must be escaped. */
    {"a,b=c",
     "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
     "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="},
    /* mosquitto_passwd 2.0.11: "secret". */
    {"mosquitto", "$7$101$CUFbQ3nsU/IFdb2o$TKET36S50AYR8S4a1Flinga3J/pjAtZ/"
                  "gssTWyMGaGJSom6zawuvvvthsUULdczfs7NMYaN931/ou1rE2OGiSg=="},
    {"argon", "$argon2id$v=19$m=7168,t=5,p=1$c2VkZ2Ugbm9ib2R5ISE$"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
};

static bool find(void *ctx, struct str user, char line[PASSWORD_HASH_MAX])
{
    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        if (!str_eq(user, str_from(people[i].user)))
            continue;
        (void)snprintf(line, PASSWORD_HASH_MAX, "%s", people[i].line);
        return true;
    }
    return false;
}

static size_t nonce(void *ctx, char out[SCRAM_NONCE_MAX])
{
    return (size_t)snprintf(out, SCRAM_NONCE_MAX, "%s", (const char *)ctx);
}

static struct scram_method method(enum scram_hash hash)
{
    static char ours[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    struct scram_method m = {.find = find, .nonce = nonce, .ctx = ours};
    scram_method_init(&m, hash);
    return m;
}

struct talk {
    struct enhanced *x;
    char answer[1200];
};

static enum enhanced_result say(struct talk *t, const char *message)
{
    struct bytes answer;
    enum enhanced_result r =
        t->x->step(t->x, (struct bytes){(const uint8_t *)message, strlen(message)}, &answer);
    REQUIRE(answer.n < sizeof(t->answer));
    if (answer.n)
        memcpy(t->answer, answer.p, answer.n);
    t->answer[answer.n] = '\0';
    return r;
}

static void talk_begin(struct talk *t, const struct scram_method *m)
{
    t->x = m->method.begin(&m->method, alloc_system());
    REQUIRE(t->x != NULL);
}

TEST(scram_example_of_rfc_7677)
{
    struct scram_method m = method(SCRAM_SHA256);
    struct talk t;
    talk_begin(&t, &m);
    CHECK_EQ_INT(say(&t, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), ENHANCED_MORE);
    CHECK_EQ_STR(t.answer, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                           "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    CHECK_EQ_INT(say(&t, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                         "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
                 ENHANCED_DONE);
    CHECK_EQ_STR(t.answer, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    CHECK(str_eq(t.x->user, STR("user")));
    CHECK_EQ_INT(say(&t, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), ENHANCED_DENIED); /* it is over */
    t.x->end(t.x);
}

/* Our own client: the whole way, each hash, each kind of user. */
TEST(scram_users)
{
    static const struct {
        const char *what;
        enum scram_hash hash;
        const char *user, *name, *password, *gs2;
        bool right;
    } rows[] = {
        {"right", SCRAM_SHA256, "user", "user", "pencil", "n,,", true},
        {"the client could bind the channel", SCRAM_SHA256, "user", "user", "pencil", "y,,", true},
        {"an escaped name", SCRAM_SHA256, "a=2Cb=3Dc", "a,b=c", "pencil", "n,,", true},
        {"wrong", SCRAM_SHA256, "user", "user", "Pencil", "n,,", false},
        {"empty", SCRAM_SHA256, "user", "user", "", "n,,", false},
        {"nobody", SCRAM_SHA256, "nobody", "nobody", "pencil", "n,,", false},
        {"a line of Argon2", SCRAM_SHA256, "argon", "argon", "pencil", "n,,", false},
        {"a line of mosquitto", SCRAM_SHA256, "mosquitto", "mosquitto", "secret", "n,,", false},
        {"mosquitto", SCRAM_SHA512, "mosquitto", "mosquitto", "secret", "n,,", true},
        {"mosquitto, wrong", SCRAM_SHA512, "mosquitto", "mosquitto", "secrets", "n,,", false},
        {"a line of SHA-256", SCRAM_SHA512, "user", "user", "pencil", "n,,", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].what);
        struct scram_method m = method(rows[i].hash);
        struct scram_client c = {.md = rows[i].hash == SCRAM_SHA256 ? EVP_sha256() : EVP_sha512(),
                                 .user = rows[i].user,
                                 .password = rows[i].password,
                                 .gs2 = rows[i].gs2,
                                 .nonce = "abc"};
        struct talk t;
        talk_begin(&t, &m);
        REQUIRE(CHECK_EQ_INT(say(&t, scram_client_first(&c)), ENHANCED_MORE));
        CHECK_EQ_INT(say(&t, scram_client_final(&c, t.answer)),
                     rows[i].right ? ENHANCED_DONE : ENHANCED_DENIED);
        if (rows[i].right) {
            scram_client_verify(&c, t.answer);
            CHECK(str_eq(t.x->user, str_from(rows[i].name)));
        }
        t.x->end(t.x);
    }
}

/* The salt of nobody: the same each time, another for another name. */
TEST(scram_does_not_tell_who_is_there)
{
    struct scram_method m = method(SCRAM_SHA256);
    char answers[3][1200];
    static const char *const firsts[] = {"n,,n=x,r=1", "n,,n=x,r=1", "n,,n=y,r=1"};
    for (size_t i = 0; i < 3; i++) {
        struct talk t;
        talk_begin(&t, &m);
        CHECK_EQ_INT(say(&t, firsts[i]), ENHANCED_MORE);
        memcpy(answers[i], t.answer, sizeof(t.answer));
        t.x->end(t.x);
    }
    CHECK_EQ_STR(answers[0], answers[1]);
    CHECK(strcmp(answers[0], answers[2]) != 0);
    CHECK_HAS_STR(answers[0], ",i=15000");
}

TEST(scram_messages_that_are_wrong)
{
    static const char *const firsts[] = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,",
        "n,,n=user,r=",
        "n,,n=user,r=a b",
        "n,,r=abc,n=user",
        "n,,m=x,n=user,r=abc",
        "n,a=other,n=user,r=abc",
        "p=tls-unique,,n=user,r=abc",
        "x,,n=user,r=abc",
        "n,,n=us=er,r=abc",
        "n,,n=us=2,r=abc",
        "n,,n=,r=abc",
        "n,,n=a:b,r=abc",
    };
    static const char *const finals[] = {
        "",
        "c=biws",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=AAAA",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=!HzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,c=biws,p=AAAA",
        "n,,n=user,r=abc",
    };
    struct scram_method m = method(SCRAM_SHA256);
    struct talk t;
    char large[2000];
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        LABEL("first: %s", firsts[i]);
        talk_begin(&t, &m);
        CHECK_EQ_INT(say(&t, firsts[i]), ENHANCED_DENIED);
        CHECK_EQ_STR(t.answer, "");
        t.x->end(t.x);
    }
    for (size_t i = 0; i < ARRAY_LEN(finals); i++) {
        LABEL("final: %s", finals[i]);
        talk_begin(&t, &m);
        CHECK_EQ_INT(say(&t, "n,,n=user,r=abc"), ENHANCED_MORE);
        CHECK_EQ_INT(say(&t, finals[i]), ENHANCED_DENIED);
        t.x->end(t.x);
    }
    for (size_t n = 490; n < 600; n++) {
        LABEL("a first message of %zu bytes", n);
        (void)snprintf(large, sizeof(large), "n,,n=user,r=%0*d", (int)n - 12, 0);
        talk_begin(&t, &m);
        CHECK_EQ_INT(say(&t, large), n > 512 ? ENHANCED_DENIED : ENHANCED_MORE);
        t.x->end(t.x);
    }
}

/* What the right client says, for another binding, a nonce of another exchange, or one byte off. */
TEST(scram_proofs_are_for_one_exchange)
{
    struct scram_method m = method(SCRAM_SHA256);
    struct scram_client c = {
        .md = EVP_sha256(), .user = "user", .password = "pencil", .gs2 = "n,,", .nonce = "abc"};
    struct talk t;
    talk_begin(&t, &m);
    CHECK_EQ_INT(say(&t, scram_client_first(&c)), ENHANCED_MORE);
    const char *final = scram_client_final(&c, t.answer);
    CHECK_EQ_INT(say(&t, final), ENHANCED_DONE);
    t.x->end(t.x);
    LABEL("a proof that was heard");
    talk_begin(&t, &m);
    CHECK_EQ_INT(say(&t, "n,,n=user,r=abd"), ENHANCED_MORE);
    CHECK_EQ_INT(say(&t, final), ENHANCED_DENIED);
    t.x->end(t.x);
    LABEL("another binding than at first");
    talk_begin(&t, &m);
    CHECK_EQ_INT(say(&t, "y,,n=user,r=abc"), ENHANCED_MORE);
    CHECK_EQ_INT(say(&t, final), ENHANCED_DENIED);
    t.x->end(t.x);
    for (size_t i = 0; final[i]; i++) {
        char changed[1500];
        LABEL("byte %zu changed", i);
        (void)snprintf(changed, sizeof(changed), "%s", final);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        talk_begin(&t, &m);
        CHECK_EQ_INT(say(&t, "n,,n=user,r=abc"), ENHANCED_MORE);
        CHECK_EQ_INT(say(&t, changed), ENHANCED_DENIED);
        t.x->end(t.x);
    }
}

TEST(scram_lines)
{
    char line[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];
    struct error e;
    const struct bytes secret = {(const uint8_t *)"secret", 6},
                       wrong = {(const uint8_t *)"Secret", 6};
    REQUIRE(CHECK_EQ_INT(scram_line(secret, 4096, line, &e), ERR_OK));
    REQUIRE(CHECK_EQ_INT(scram_line(secret, 4096, other, &e), ERR_OK));
    CHECK(strcmp(line, other) != 0); /* the salt */
    CHECK(password_hash_known(str_from(line)));
    CHECK(password_matches(str_from(line), secret));
    CHECK(!password_matches(str_from(line), wrong));
    static const char *const damaged[] = {
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
        "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$99999999999:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:wfPL",
    };
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        LABEL("%s", damaged[i]);
        CHECK(!password_hash_known(str_from(damaged[i])));
        CHECK(!password_matches(str_from(damaged[i]), secret));
    }
}

/* The methods of a password file, with a nonce that nobody has seen before. */
TEST(scram_with_a_password_file)
{
    char path[300];
    struct executor *ex;
    struct password_file *f;
    struct error e = {0};
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    (void)snprintf(path, sizeof(path), "%s/users", test_tmpdir());
    REQUIRE(CHECK_EQ_INT(password_file_set(path, STR("user"), people[0].line, &e), ERR_OK));
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct password_config pc = {.ex = ex, .path = path};
    REQUIRE(CHECK_EQ_INT(password_file_open(&f, &pc, &e), ERR_OK));
    const struct enhanced_method *const *methods = password_file_methods(f);
    REQUIRE(methods[0] && methods[1] && !methods[2]);
    CHECK(str_eq(methods[0]->name, STR("SCRAM-SHA-256")));
    CHECK(str_eq(methods[1]->name, STR("SCRAM-SHA-512")));
    char nonces[2][1200];
    for (size_t i = 0; i < 2; i++) {
        struct scram_client c = {
            .md = EVP_sha256(), .user = "user", .password = "pencil", .gs2 = "n,,", .nonce = "abc"};
        struct talk t = {.x = methods[0]->begin(methods[0], alloc_system())};
        CHECK_EQ_INT(say(&t, scram_client_first(&c)), ENHANCED_MORE);
        memcpy(nonces[i], t.answer, sizeof(nonces[i]));
        CHECK_EQ_INT(say(&t, scram_client_final(&c, t.answer)), ENHANCED_DONE);
        t.x->end(t.x);
    }
    CHECK(strcmp(nonces[0], nonces[1]) != 0);
    password_file_close(f);
    executor_free(ex);
}
