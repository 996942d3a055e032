/* Statements to bytecode. */
#include "lang/check_internal.h"

static void set_line(struct code *code, struct chunk_builder *b, struct lang_span span)
{
    b->line = ctx_line(code->c, span);
}

static void compile_assign(struct code *code, struct chunk_builder *b, const struct stmt *s)
{
    const struct expr *t = s->target;
    uint8_t r = compile_expr(code, b, s->value, &t->type);
    if (t->ref == REF_LOCAL) {
        (void)emit(code, b, CODE_MOV, b->local_regs[t->index], r, 0, 0);
    } else {
        enum lang_type_kind kind = reg_kind(&t->type);
        enum code_op op = kind == LANG_TYPE_BOOL    ? CODE_SETB
                          : kind == LANG_TYPE_INT   ? CODE_SETI
                          : kind == LANG_TYPE_FLOAT ? CODE_SETF
                                                    : CODE_SETS;
        (void)emit(code, b, op, r, 0, 0, (int32_t)t->index);
    }
    reg_give(b, r);
}

static void compile_if(struct code *code, struct chunk_builder *b, const struct stmt *s)
{
    uint8_t r = compile_truth(code, b, s->value);
    size_t no = emit(code, b, CODE_JNT, r, 0, 0, 0);
    reg_give(b, r);
    compile_stmts(code, b, &s->body);
    if (s->otherwise.n == 0) {
        if (!b->full)
            patch_here(b, no);
        return;
    }
    size_t end = emit(code, b, CODE_JMP, 0, 0, 0, 0);
    if (!b->full)
        patch_here(b, no);
    compile_stmts(code, b, &s->otherwise);
    if (!b->full)
        patch_here(b, end);
}

static void compile_return(struct code *code, struct chunk_builder *b, const struct stmt *s)
{
    if (!s->value) {
        (void)emit(code, b, CODE_RETV, 0, 0, 0, 0);
        return;
    }
    uint8_t r = compile_expr(code, b, s->value, b->result);
    (void)emit(code, b, CODE_RET, r, 0, 0, 0);
    reg_give(b, r);
}

static void compile_stmt(struct code *code, struct chunk_builder *b, const struct stmt *s)
{
    set_line(code, b, s->span);
    uint8_t r;
    switch (s->kind) {
    case S_LET:
        r = compile_expr(code, b, s->value, &s->local_type);
        (void)emit(code, b, CODE_MOV, b->local_regs[s->local], r, 0, 0);
        reg_give(b, r);
        return;
    case S_ASSIGN: compile_assign(code, b, s); return;
    case S_IF: compile_if(code, b, s); return;
    case S_RETURN: compile_return(code, b, s); return;
    case S_HOST:
        r = compile_expr(code, b, s->value, NULL);
        (void)emit(code, b, CODE_STATE, r, (uint8_t)s->level, 0, (int32_t)s->host);
        reg_give(b, r);
        return;
    case S_CALL:
        r = UINT8_MAX;
        compile_call(code, b, s->value, &r);
        if (r != UINT8_MAX)
            reg_give(b, r);
        return;
    default: return; /* the checker lets no others through yet */
    }
}

void compile_stmts(struct code *code, struct chunk_builder *b, const struct stmt_list *list)
{
    for (size_t i = 0; i < list->n && !b->full; i++)
        compile_stmt(code, b, list->v[i]);
}
