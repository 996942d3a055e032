/* The table of instructions, and what their operand words say. */
#include "lang/code_internal.h"

#include <math.h>
#include <string.h>

#define A    CODE_F_A
#define C    CODE_F_C
#define GC   CODE_F_GC
#define END  CODE_F_END
#define SUSP CODE_F_SUSP
#define W1   CODE_F_W1
#define W2   CODE_F_W2
#define WB   CODE_F_WB
const struct code_op_info code_ops[CODE_OPS_N] = {
#define X(name, sig, flags) {#name, sig, (uint8_t)(flags)},
    CODE_OPS(X)
#undef X
};
#undef A
#undef C
#undef GC
#undef END
#undef SUSP
#undef W1
#undef W2
#undef WB

bool code_is_reg(char letter)
{
    return letter != '\0' && strchr("BIFSRLMCNHOxozi", letter) != NULL;
}

static bool is_command(const struct instr *i)
{
    return i->op == CODE_COMMAND || i->op == CODE_COMMANDH;
}

unsigned code_words(const struct instr *i)
{
    unsigned flags = code_ops[i->op].flags;
    unsigned n = flags & CODE_F_WB ? i->b : flags & CODE_F_W2 ? 2 : flags & CODE_F_W1 ? 1 : 0;
    return n + (is_command(i) && i->c == 1);
}

enum code_op code_word_op(const struct instr *i, unsigned n)
{
    if (is_command(i))
        return n == i->b ? CODE_TO : CODE_ARG;
    switch (i->op) {
    case CODE_CONCAT: return CODE_PART;
    case CODE_SELECT: return CODE_ARM;
    case CODE_LEASE: return CODE_TO;
    default: return CODE_ARG;
    }
}

static const char *part_sig(const struct instr *word)
{
    static const char *const sigs[CODE_PRINT_N] = {
        [CODE_PRINT_TEXT] = "-n-t", [CODE_PRINT_STR] = "Sn--",   [CODE_PRINT_BOOL] = "Bn--",
        [CODE_PRINT_INT] = "In--",  [CODE_PRINT_TIME] = "In--",  [CODE_PRINT_FLOAT] = "Fn-u",
        [CODE_PRINT_ENUM] = "In--", [CODE_PRINT_VALUE] = "xn--",
    };
    return word->b < CODE_PRINT_N ? sigs[word->b] : NULL;
}

static const char *arm_sig(const struct instr *word)
{
    static const char *const sigs[CODE_ARM_N] = {
        [CODE_ARM_RECV] = "zCnj",  [CODE_ARM_SEND] = "Cznj", [CODE_ARM_SIGNAL] = "--nj",
        [CODE_ARM_AFTER] = "F-nj", [CODE_ARM_ELSE] = "--nj",
    };
    return word->c < CODE_ARM_N ? sigs[word->c] : NULL;
}

const char *code_word_sig(const struct instr *i, const struct instr *word)
{
    switch (word->op) {
    case CODE_PART: return part_sig(word);
    case CODE_ARM: return arm_sig(word);
    case CODE_TO: return i->op == CODE_LEASE && word->b == 1 ? "Sn-j" : "---j";
    default: break;
    }
    if (i->op == CODE_HGROUP)
        return "---m";
    if (i->op == CODE_FORMAP)
        return word->b == 1 ? "xn--" : "-n--";
    return i->op == CODE_SPAWN ? "z---" : "x---";
}

union lang_slot code_none(uint8_t kind)
{
    switch (kind) {
    case CODE_KIND_BOOL: return (union lang_slot){.i = CODE_UNKNOWN};
    case CODE_KIND_INT: return (union lang_slot){.i = INT64_MIN};
    case CODE_KIND_FLOAT: return (union lang_slot){.f = NAN};
    case CODE_KIND_ENUM: return (union lang_slot){.i = -1};
    default: return (union lang_slot){0};
    }
}
