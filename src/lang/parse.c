/* The top of a file. */
#include "lang/parse_internal.h"

const struct lang_kind *kind_named(const struct lang_schema *schema, struct str word)
{
    for (size_t i = 0; i < schema->kinds_n; i++)
        if (str_eq(word, str_from(schema->kinds[i].word)))
            return &schema->kinds[i];
    return NULL;
}

static const char *const own_words[] = {"program", "fn", "task", "record", "enum", "test"};

static bool begins_item(struct str word)
{
    static const char *const items[] = {"when", "every", "at",   "on",  "own",
                                        "read", "lend",  "idle", "let", "var"};
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        if (str_eq(word, str_from(items[i])))
            return true;
    return false;
}

static void suggest_declaration(struct parser *p, struct lang_diag *d, struct str word)
{
    const struct lang_schema *schema = p->c->schema;
    struct suggest s = suggest_for(p->c, word);
    for (size_t i = 0; i < schema->kinds_n; i++)
        suggest_offer(&s, str_from(schema->kinds[i].word));
    for (size_t i = 0; i < ARRAY_LEN(own_words); i++)
        suggest_offer(&s, str_from(own_words[i]));
    const char *help = word_help(word);
    if (help)
        diag_help(p->c, d, "%s", help);
    else if (begins_item(word))
        diag_help(p->c, d, "rules and what they own, read and keep stand in a  program name { … }");
    else if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(p->c, d, "a file holds declarations: %s, program, task, fn, record, enum, test",
                  schema->kinds[0].word);
}

/* A rule behind a program whose braces don't match: the program was meant to go on. */
static bool ended_too_early(struct parser *p)
{
    if (p->balanced || !begins_item(token_text(p, peek_token(p))))
        return false;
    size_t at = p->at;
    while (at > 0 && p->tokens.all.v[at - 1].kind == T_NEWLINE)
        at--;
    if (at == 0 || p->tokens.all.v[at - 1].kind != T_RBRACE)
        return false;
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, &p->tokens.all.v[at - 1]), "ends it",
                                     "the program ends at this `}`, but goes on behind it");
    diag_help(p->c, d, "is there a `}` too much in it?");
    while (!at_kind(p, T_EOF) && !at_declaration(p))
        (void)take_token(p);
    return true;
}

static void unknown_declaration(struct parser *p)
{
    const struct token *t = peek_token(p);
    struct str word = token_text(p, t);
    if (t->kind == T_RBRACE) {
        (void)refuse(p, token_span(p, t), "closes nothing", "this `}` closes nothing", NULL);
        (void)take_token(p);
        return;
    }
    if (t->kind != T_NAME) {
        (void)expected(p, "a declaration");
        return;
    }
    if (ended_too_early(p))
        return;
    for (const char *const *r = p->c->schema->reserved; r && *r; r++)
        if (str_eq(word, str_from(*r))) {
            (void)not_yet(p, t);
            return;
        }
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not a declaration",
                                     "`%.*s` begins no declaration", STR_FMT(word));
    suggest_declaration(p, d, word);
}

static bool parse_top(struct parser *p, struct syntax *out)
{
    if (at_word(p, "program"))
        return parse_program(p, out);
    if (at_word(p, "record") || at_word(p, "enum"))
        return parse_type_decl(p, out);
    if (at_word(p, "test"))
        return parse_test(p, out);
    if (at_word(p, "fn") || at_word(p, "task")) {
        struct fn_decl *fn = parse_fn(p);
        if (fn)
            ctx_tree_push(p->c, &out->fns, fn);
        return fn != NULL;
    }
    const struct lang_kind *kind =
        at_kind(p, T_NAME) ? kind_named(p->c->schema, token_text(p, peek_token(p))) : NULL;
    if (kind)
        return parse_kind(p, kind, out);
    unknown_declaration(p);
    return false;
}

/* Behind a declaration with a mistake in its head: the lines that stood in it, and its `}`. */
static void skip_inside(struct parser *p)
{
    bool inside = false;
    for (skip_newlines(p); at_indented(p) && !at_kind(p, T_EOF); skip_newlines(p)) {
        inside = true;
        skip_statement(p);
        (void)take_kind(p, T_RBRACE);
    }
    if (inside)
        (void)take_kind(p, T_RBRACE);
}

void parse_source(struct lang_ctx *c, uint32_t source, struct syntax *out)
{
    struct parser p = {.c = c, .source = source};
    lex(c, source, 0, (uint32_t)c->sources[source].text.n, &p.tokens);
    p.balanced = braces_match(&p.tokens);
    for (skip_newlines(&p); !at_kind(&p, T_EOF); skip_newlines(&p)) {
        size_t at = p.at;
        p.depth = 0;
        p.head = false;
        bool fine = parse_top(&p, out) && expect_end(&p, "a declaration");
        if (!fine && !(p.at > at && at_declaration(&p))) {
            recover(&p, at);
            skip_inside(&p);
        }
        if (p.at == at)
            (void)take_token(&p);
    }
    vec_fini(&c->tree_alloc, &p.tokens.all);
    vec_fini(&c->tree_alloc, &p.tokens.comments);
}
