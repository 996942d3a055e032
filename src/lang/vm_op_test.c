/* Instructions by themselves: what they compute, and when they trap. */
#include "lang/vm_fixture.h"

/* Chunk 0 runs; what it leaves in the variable s, or why it trapped, and where. */
static const char *outcome(struct vm_rig *r)
{
    static char text[600];
    if (rig_call(r) == LANG_DONE)
        return rig_var(r, "s");
    (void)snprintf(text, sizeof(text), "line %u: %s", r->result.line, r->result.why);
    return text;
}

struct op_case {
    const char *label, *text, *want;
};

static void run_cases(const struct op_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct vm_rig r;
        rig_open(&r, cases[i].text);
        LABEL("%s", cases[i].label);
        CHECK_EQ_STR(outcome(&r), cases[i].want);
        rig_close(&r);
    }
}

#define HEAD                                                                                       \
    "fn main()\n reg i int\n reg j int\n reg x float\n reg y float\n reg b bool\n reg c bool\n"    \
    " reg s str\n reg t str\n"
#define INT(reg)   "CONCAT s 1\n PART 3 " reg "\n SETV s s\n RETV\n"
#define FLOAT(reg) "CONCAT s 1\n PART 5 " reg " \n SETV s s\n RETV\n"
#define BOOL(reg)  "CONCAT s 1\n PART 2 " reg "\n SETV s s\n RETV\n"
#define STR_(reg)  "SETV " reg " s\n RETV\n"

TEST(numbers_compute)
{
    static const struct op_case cases[] = {
        {"add", HEAD "LOADN i 40\n LOADN j 2\n ADDI i i j\n" INT("i"), "42"},
        {"add constant", HEAD "LOADN i 40\n ADDIK i i -2\n" INT("i"), "38"},
        {"constant minus", HEAD "LOADN i 40\n RSUBIK i i 2\n" INT("i"), "-38"},
        {"large", HEAD "LOADI i 9223372036854775807\n" INT("i"), "9223372036854775807"},
        {"add too large", HEAD "LOADI i 9223372036854775807\n ADDIK i i 1\n" INT("i"),
         "line 11: a whole number became too large"},
        {"negate too large", HEAD "LOADI i -9223372036854775808\n NEGI i i\n" INT("i"),
         "line 11: a whole number became too large"},
        {"multiply too large", HEAD "LOADI i 9223372036854775807\n MULIK i i 2\n" INT("i"),
         "line 11: a whole number became too large"},
        {"divide", HEAD "LOADN i -7\n LOADN j 2\n DIVI i i j\n" INT("i"), "-3"},
        {"modulo", HEAD "LOADN i -7\n LOADN j 2\n MODI i i j\n" INT("i"), "-1"},
        {"by zero", HEAD "LOADN i 7\n LOADN j 0\n DIVI i i j\n" INT("i"),
         "line 12: division by zero"},
        {"modulo zero", HEAD "LOADN i 7\n LOADN j 0\n MODI i i j\n" INT("i"),
         "line 12: division by zero"},
        {"smallest by minus one",
         HEAD "LOADI i -9223372036854775808\n LOADN j -1\n DIVI i i j\n" INT("i"),
         "line 12: a whole number became too large"},
        {"smallest modulo minus one",
         HEAD "LOADI i -9223372036854775808\n LOADN j -1\n MODI i i j\n" INT("i"), "0"},
        {"divide constant", HEAD "LOADN i 17\n DIVIK i i 5\n" INT("i"), "3"},
        {"modulo constant", HEAD "LOADN i 17\n MODIK i i 5\n" INT("i"), "2"},
        {"abs, min, max",
         HEAD "LOADN i -7\n ABSI i i\n LOADN j 5\n MINI j i j\n MAXI i i j\n MULI i i j\n" INT("i"),
         "35"},
        {"an int that is none's", HEAD "LOADI i -9223372036854775808\n SOMEI i i\n" INT("i"),
         "line 11: a whole number became too large"},
        {"none", HEAD "LOADI i -9223372036854775808\n" INT("i"), "no value"},
        {"floats",
         HEAD "LOADF x 1.5\n LOADF y 4\n MULF x x y\n SUBF x x y\n ADDFK x x 0.25\n" FLOAT("x"),
         "2.25"},
        {"float constants",
         HEAD "LOADF x 8\n RSUBFK x x 10\n RDIVFK x x 5\n MULFK x x 3\n DIVFK x x 2\n" FLOAT("x"),
         "3.75"},
        {"divided by zero", HEAD "LOADF x 1\n LOADF y 0\n DIVF x x y\n" FLOAT("x"), "∞"},
        {"modulo", HEAD "LOADF x 7.5\n LOADF y 2\n MODF x x y\n" FLOAT("x"), "1.5"},
        {"min with nothing", HEAD "LOADF x 0\n LOADF y 0\n DIVF y y x\n MINF x x y\n" FLOAT("x"),
         "no value"},
        {"sqrt", HEAD "LOADF x 16\n MATH x x 0\n" FLOAT("x"), "4"},
        {"pow", HEAD "LOADF x 2\n LOADF y 10\n POWF x x y\n" FLOAT("x"), "1024"},
        {"round", HEAD "LOADF x 2.5\n ROUNDI i x 0\n" INT("i"), "3"},
        {"floor", HEAD "LOADF x -2.5\n ROUNDI i x 1\n" INT("i"), "-3"},
        {"ceil", HEAD "LOADF x 2.1\n ROUNDI i x 2\n" INT("i"), "3"},
        {"int()", HEAD "LOADF x -2.9\n ROUNDI i x 3\n" INT("i"), "-2"},
        {"round what is too large", HEAD "LOADF x 1e300\n ROUNDI i x 0\n" INT("i"),
         "line 11: a whole number became too large"},
        {"round in a unit",
         HEAD "LOADF x 0.404\n ROUNDF x x 0 %\n CONCAT s 1\n PART 5 x %\n" STR_("s"), "40 %"},
        {"to base", HEAD "LOADF x 20\n TOBASE x x °C\n" FLOAT("x"), "293.1"},
        {"from base", HEAD "LOADF x 293.15\n FROMBASE x x °C\n" FLOAT("x"), "20"},
        {"int to float", HEAD "LOADN i 3\n ITOF x i\n DIVFK x x 2\n" FLOAT("x"), "1.5"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

/* Three values of Kleene's logic, by their numbers. */
TEST(unknown_goes_through_logic)
{
    static const char *const names[] = {"false", "true", "no value"};
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            int both = a == 0 || b == 0 ? 0 : a == 2 || b == 2 ? 2 : 1;
            int any = a == 1 || b == 1 ? 1 : a == 2 || b == 2 ? 2 : 0;
            int same = a == 2 || b == 2 ? 2 : a == b;
            const struct {
                const char *op;
                int want;
            } ops[] = {{"KAND", both}, {"KOR", any}, {"KEQB", same}};
            for (size_t n = 0; n < ARRAY_LEN(ops); n++) {
                char text[400];
                (void)snprintf(text, sizeof(text),
                               HEAD "LOADB b %d\n LOADB c %d\n %s b b c\n" BOOL("b"), a, b,
                               ops[n].op);
                run_cases(&(struct op_case){ops[n].op, text, names[ops[n].want]}, 1);
            }
        }
}

TEST(comparisons_and_jumps)
{
    static const struct {
        const char *op;
        const char *wants; /* for 1 ? 2, 2 ? 2, 3 ? 2, NaN ? 2 */
    } ops[] = {{"JEQF", "nynn"},   {"JNEF", "ynyy"},   {"JLTF", "ynnn"},   {"JLEF", "yynn"},
               {"JNLTF", "nyyy"},  {"JNLEF", "nnyy"},  {"JEQFK", "nynn"},  {"JNEFK", "ynyy"},
               {"JLTFK", "ynnn"},  {"JLEFK", "yynn"},  {"JGTFK", "nnyn"},  {"JGEFK", "nyyn"},
               {"JNLTFK", "nyyy"}, {"JNLEFK", "nnyy"}, {"JNGTFK", "yyny"}, {"JNGEFK", "ynny"},
               {"JEQI", "nyn"},    {"JNEI", "yny"},    {"JLTI", "ynn"},    {"JLEI", "yyn"},
               {"JEQIK", "nyn"},   {"JNEIK", "yny"},   {"JLTIK", "ynn"},   {"JLEIK", "yyn"},
               {"JGTIK", "nny"},   {"JGEIK", "nyy"}};
    for (size_t n = 0; n < ARRAY_LEN(ops); n++)
        for (size_t k = 0; ops[n].wants[k]; k++) {
            bool real = strchr(ops[n].op, 'F') != NULL, constant = strchr(ops[n].op, 'K') != NULL;
            char text[500];
            (void)snprintf(
                text, sizeof(text),
                HEAD
                "LOADN i %zu\n LOADN j 2\n ITOF x i\n ITOF y j\n%s LOADS s \"n\"\n %s %s %s @yes\n"
                " JMP @end\n@yes\n LOADS s \"y\"\n@end\n" STR_("s"),
                k + 1, k == 3 ? " LOADF y 0\n DIVF x y y\n LOADF y 2\n" : "", ops[n].op,
                real ? "x" : "i",
                constant ? "2"
                : real   ? "y"
                         : "j");
            char want[2] = {ops[n].wants[k], '\0'};
            char label[40];
            (void)snprintf(label, sizeof(label), "%s %zu", ops[n].op, k + 1);
            run_cases(&(struct op_case){label, text, want}, 1);
        }
}

TEST(values_that_may_be_none)
{
    static const struct op_case cases[] = {
        {"none of a reference", HEAD "NIL s\n NONEO b s\n" BOOL("b"), "true"},
        {"none of a float", HEAD "LOADF x 0\n DIVF x x x\n NONEF b x\n" BOOL("b"), "true"},
        {"some", HEAD "LOADN i 0\n NONEI b i\n" BOOL("b"), "false"},
        {"needed",
         "fn main()\n reg x float\n LOADF x 0\n DIVF x x x\n NEEDF x \"temp has no value yet\"\n "
         "RETV\n",
         "line 5: temp has no value yet"},
        {"unknown compare", HEAD "LOADF x 0\n DIVF x x x\n LOADF y 1\n KLTF b x y\n" BOOL("b"),
         "no value"},
        {"known compare", HEAD "LOADF x 0\n LOADF y 1\n KLTF b x y\n" BOOL("b"), "true"},
        {"unknown compare with a constant", HEAD "LOADF x 0\n DIVF x x x\n KGEFK b x 0\n" BOOL("b"),
         "no value"},
        {"less than a constant", HEAD "LOADF x 1\n KLTFK b x 1\n" BOOL("b"), "false"},
        {"no more than a constant", HEAD "LOADF x 1\n KLEFK b x 1\n" BOOL("b"), "true"},
        {"more than a constant", HEAD "LOADF x 1\n KGTFK b x 1\n" BOOL("b"), "false"},
        {"no less than a constant", HEAD "LOADF x 1\n KGEFK b x 1\n" BOOL("b"), "true"},
        {"jump when unknown",
         HEAD "LOADB b 2\n LOADS s \"n\"\n JU b @u\n JMP @e\n@u\n LOADS s \"y\"\n@e\n" STR_("s"),
         "y"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

TEST(texts_are_made)
{
    static const struct op_case cases[] = {
        {"parts",
         HEAD "LOADN i 7\n LOADB b 1\n LOADF x 293.15\n LOADS t \"t\"\n CONCAT s 6\n PART 0 \"a\"\n"
              " PART 3 i\n PART 2 b\n PART 5 x °C\n PART 1 t\n PART 4 i\n" STR_("s"),
         "a7true20 °Ct1970-01-01T00:00:00.007Z"},
        {"no value", HEAD "NIL t\n LOADB b 2\n CONCAT s 2\n PART 1 t\n PART 2 b\n" STR_("s"),
         "no valueno value"},
        {"length", HEAD "LOADS s \"süß\"\n SLEN i s\n" INT("i"), "3"},
        {"contains", HEAD "LOADS s \"pump\"\n LOADS t \"um\"\n STEST b s t 0\n" BOOL("b"), "true"},
        {"starts", HEAD "LOADS s \"pump\"\n LOADS t \"um\"\n STEST b s t 1\n" BOOL("b"), "false"},
        {"ends", HEAD "LOADS s \"pump\"\n LOADS t \"mp\"\n STEST b s t 2\n" BOOL("b"), "true"},
        {"trim", HEAD "LOADS s \"  a b \"\n SMAKE s s 0\n" STR_("s"), "a b"},
        {"upper", HEAD "LOADS s \"aZ9ü\"\n SMAKE s s 1\n" STR_("s"), "AZ9ü"},
        {"lower", HEAD "LOADS s \"aZ9\"\n SMAKE s s 2\n" STR_("s"), "az9"},
        {"slice", HEAD "LOADS s \"süßes\"\n LOADN i 1\n LOADN j 3\n SLICE s s i j\n" STR_("s"),
         "üß"},
        {"slice beyond",
         HEAD "LOADS s \"abc\"\n LOADN i -5\n LOADN j 99\n SLICE s s i j\n" STR_("s"), "abc"},
        {"slice of nothing",
         HEAD "LOADS s \"abc\"\n LOADN i 2\n LOADN j 1\n SLICE s s i j\n" STR_("s"), ""},
        {"to int", HEAD "LOADS s \" 42 \"\n STOI i s\n" INT("i"), "42"},
        {"to int of a word", HEAD "LOADS s \"x\"\n STOI i s\n" INT("i"), "no value"},
        {"to float", HEAD "LOADS s \"2.5\"\n STOF x s\n" FLOAT("x"), "2.5"},
        {"to float of a word", HEAD "LOADS s \"2.5x\"\n STOF x s\n" FLOAT("x"), "no value"},
        {"equal by content",
         HEAD "LOADS s \"ab\"\n CONCAT t 2\n PART 0 \"a\"\n PART 0 \"b\"\n EQS b s t\n" BOOL("b"),
         "true"},
        {"split",
         "fn main()\n reg l list<str>\n reg s str\n reg t str\n LOADS s \"a,,b\"\n"
         " LOADS t \",\"\n SPLIT l s t\n CONCAT s 1\n PART 7 l\n" STR_("s"),
         "[\"a\", \"\", \"b\"]"},
        {"split into characters",
         "fn main()\n reg l list<str>\n reg s str\n reg t str\n LOADS s \"aü\"\n"
         " LOADS t \"\"\n SPLIT l s t\n CONCAT s 1\n PART 7 l\n" STR_("s"),
         "[\"a\", \"ü\"]"},
        {"enum",
         "fn main()\n reg m Mode\n reg s str\n LOADN m 1\n CONCAT s 1\n PART 6 m\n" STR_("s"),
         "boost"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

#define LISTS                                                                                      \
    "fn main()\n reg l list<int>\n reg k list<int>\n reg i int\n reg j int\n reg b bool\n reg s "  \
    "str\n"                                                                                        \
    " LOADN i 3\n LOADN j 1\n LIST l 3 list<int>\n ARG i\n ARG j\n ARG i\n"
#define LIST_TEXT "CONCAT s 1\n PART 7 l\n SETV s s\n RETV\n"

TEST(lists)
{
    static const struct op_case cases[] = {
        {"literal", LISTS LIST_TEXT, "[3, 1, 3]"},
        {"get", LISTS "LGET i l j\n" INT("i"), "1"},
        {"get out of range", LISTS "LGET i l i\n" INT("i"),
         "line 14: there is no element 3 in a list of 3"},
        {"get below", LISTS "LOADN i -1\n LGET i l i\n" INT("i"),
         "line 15: there is no element -1 in a list of 3"},
        {"at, out of range", LISTS "LAT i l i\n" INT("i"), "no value"},
        {"set", LISTS "LOADN i 9\n LSET i l j\n" LIST_TEXT, "[3, 9, 3]"},
        {"push, pop", LISTS "LPUSH l j\n LPUSH l i\n LPOP i l\n" LIST_TEXT, "[3, 1, 3, 1]"},
        {"last", LISTS "LLAST i l\n" INT("i"), "3"},
        {"pop of nothing", LISTS "LCLEAR l\n LPOP i l\n" INT("i"), "no value"},
        {"insert", LISTS "LOADN i 9\n LINSERT l j i\n" LIST_TEXT, "[3, 9, 1, 3]"},
        {"insert beyond", LISTS "LOADN i 4\n LINSERT l i i\n" LIST_TEXT,
         "line 15: there is no element 4 in a list of 3"},
        {"remove", LISTS "LREMOVE i l j\n" LIST_TEXT, "[3, 3]"},
        {"sort", LISTS "LSORT l\n" LIST_TEXT, "[1, 3, 3]"},
        {"reverse", LISTS "LPUSH l j\n LREVERSE l\n" LIST_TEXT, "[1, 3, 1, 3]"},
        {"has", LISTS "LHAS b l j\n" BOOL("b"), "true"},
        {"has not", LISTS "LOADN j 7\n LHAS b l j\n" BOOL("b"), "false"},
        {"n times", LISTS "LOADN i 4\n LISTN l i j list<int>\n" LIST_TEXT, "[1, 1, 1, 1]"},
        {"fewer than none", LISTS "LOADN i -4\n LISTN l i j list<int>\n" LIST_TEXT,
         "line 15: a list can't have -4 elements"},
        {"equal", LISTS "LIST k 3 list<int>\n ARG i\n ARG j\n ARG i\n EQO b l k\n" BOOL("b"),
         "true"},
        {"unequal", LISTS "LIST k 2 list<int>\n ARG i\n ARG j\n EQO b l k\n" BOOL("b"), "false"},
        {"none is no list", LISTS "NIL l\n LLEN i l\n" INT("i"), "line 15: there is no value"},
        {"each",
         LISTS "LOADN i -1\n LOADS s \"\"\n JMP @n\n@e\n CONCAT s 3\n PART 1 s\n PART 3 i\n"
               " PART 3 j\n@n\n FORLIST i l j @e\n" STR_("s"),
         "031123"},
        {"long",
         LISTS "LOADN i 1000\n LISTN l i j list<int>\n LOADN i 0\n LOADN j 0\n@a\n ADDIK j j 2\n"
               " LSET j l i\n LOADN j 999\n FOR i j @a\n LOADN i 500\n LGET i l i\n" INT("i"),
         "1001"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

#define MAPS                                                                                       \
    "fn main()\n reg m map<str,int>\n reg k str\n reg i int\n reg j int\n reg b bool\n reg s "     \
    "str\n"                                                                                        \
    " reg l list<str>\n reg v list<int>\n MAP m map<str,int>\n LOADS k \"a\"\n LOADN i 1\n MSET "  \
    "i m k\n"                                                                                      \
    " LOADS k \"b\"\n LOADN i 2\n MSET i m k\n"
#define MAP_TEXT "CONCAT s 1\n PART 7 m\n SETV s s\n RETV\n"

TEST(maps)
{
    static const struct op_case cases[] = {
        {"set", MAPS MAP_TEXT, "[\"a\": 1, \"b\": 2]"},
        {"get", MAPS "MGET i m k\n" INT("i"), "2"},
        {"get what is not there", MAPS "LOADS k \"c\"\n MGET i m k\n" INT("i"), "no value"},
        {"has", MAPS "MHAS b m k\n" BOOL("b"), "true"},
        {"remove", MAPS "MREMOVE i m k\n CONCAT s 2\n PART 7 m\n PART 3 i\n" STR_("s"),
         "[\"a\": 1]2"},
        {"remove what is not there", MAPS "LOADS k \"c\"\n MREMOVE i m k\n" INT("i"), "no value"},
        {"length", MAPS "MLEN i m\n" INT("i"), "2"},
        {"keys", MAPS "MKEYS l m\n CONCAT s 1\n PART 7 l\n" STR_("s"), "[\"a\", \"b\"]"},
        {"values", MAPS "MVALUES v m\n CONCAT s 1\n PART 7 v\n" STR_("s"), "[1, 2]"},
        {"clear", MAPS "MCLEAR m\n" MAP_TEXT, "[:]"},
        {"a key that is none", MAPS "NIL k\n MGET i m k\n" INT("i"), "line 18: there is no value"},
        {"put under none", MAPS "NIL k\n MSET i m k\n" INT("i"), "line 18: there is no value"},
        {"each",
         MAPS
         "LOADN i 0\n LOADS s \"\"\n JMP @n\n@e\n CONCAT s 3\n PART 1 s\n PART 1 k\n PART 3 j\n@n\n"
         " FORMAP i m k @e\n ARG j\n" STR_("s"),
         "a1b2"},
        {"by numbers",
         "fn main()\n reg m map<int,str>\n reg i int\n reg s str\n MAP m map<int,str>\n LOADN i 0\n"
         " LOADS s \"zero\"\n MSET s m i\n MGET s m i\n" STR_("s"),
         "zero"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

#define RECORDS                                                                                    \
    "fn main()\n reg p Point\n reg q Point\n reg i int\n reg s str\n reg b bool\n LOADN i 4\n"     \
    " LOADS s \"four\"\n NIL q\n RECORD p 3 Point\n ARG i\n ARG s\n ARG q\n"

TEST(records_and_closures)
{
    static const struct op_case cases[] = {
        {"literal", RECORDS "CONCAT s 1\n PART 7 p\n" STR_("s"),
         "Point{x: 4, name: \"four\", next: none}"},
        {"fields", RECORDS "LOADN i 5\n SETF i p 0\n GETF i p 0\n" INT("i"), "5"},
        {"nested",
         RECORDS "RECORD q 3 Point\n ARG i\n ARG s\n ARG p\n GETF p q 2\n GETF s p 1\n" STR_("s"),
         "four"},
        {"itself as an operand",
         RECORDS "RECORD p 3 Point\n ARG i\n ARG s\n ARG p\n CONCAT s 1\n PART 7 p\n" STR_("s"),
         "Point{x: 4, name: \"four\", next: Point{x: 4, name: \"four\", next: none}}"},
        {"equal", RECORDS "RECORD q 3 Point\n ARG i\n ARG s\n ARG q\n EQO b p q\n" BOOL("b"),
         "true"},
        {"of none", RECORDS "GETF i q 0\n" INT("i"), "line 14: there is no value"},
        {"to none", RECORDS "SETF i q 0\n" INT("i"), "line 14: there is no value"},
        {"a ring prints to a depth, and is not compared for ever",
         RECORDS
         "SETF p p 2\n RECORD q 3 Point\n ARG i\n ARG s\n ARG p\n SETF q q 2\n EQO b p q\n" BOOL(
             "b"),
         "line 20: these values are too large to be compared"},
        {"closure",
         "fn main()\n reg f fn<int,int>\n reg i int\n reg s str\n LOADN i 40\n CLOSURE f 1 add\n "
         "ARG i\n"
         " LOADN w0 2\n CALLC i f\n" INT(
             "i") "fn add(a: int, | k: int) -> int\n reg r int\n ADDI r a k\n RET r\n",
         "42"},
        {"no closure",
         "fn main()\n reg f fn<int,int>\n reg i int\n reg s str\n NIL f\n LOADN w0 2\n CALLC i "
         "f\n" INT("i"),
         "line 7: there is no value"},
        {"a captured text",
         "fn main()\n reg f fn<str>\n reg s str\n CONCAT s 1\n PART 0 \"kept\"\n CLOSURE f 1 get\n "
         "ARG s\n"
         " NIL s\n CALLC s f\n" STR_("s") "fn get(| k: str) -> str\n RET k\n",
         "kept"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

TEST(calls)
{
    static const struct op_case cases[] = {
        {"fib",
         "fn main()\n reg i int\n reg s str\n LOADN w0 15\n CALL i fib\n" INT(
             "i") "fn fib(n: int) -> int\n reg x int\n reg y int\n JGEIK n 2 @big\n RET n\n@big\n"
                  " ADDIK w0 n -1\n CALL x fib\n ADDIK w0 n -2\n CALL y fib\n ADDI x x y\n RET x\n",
         "610"},
        {"for ever", "fn main()\n CALLV main\n RETV\n",
         "line 2: functions call each other too deeply"},
        {"mixed arguments",
         "fn main()\n reg i int\n reg s str\n LOADS s \"n\"\n LOADN w0 3\n MOV w1 s\n CALL s "
         "f\n" STR_("s") "fn f(n: int, t: str) -> str\n reg r str\n CONCAT r 2\n PART 1 t\n PART 3 "
                         "n\n RET r\n",
         "n3"},
        {"a result as an argument",
         "fn main()\n reg s str\n reg i int\n LOADN w0 3\n CALL w0 twice\n CALL i twice\n" INT(
             "i") "fn twice(n: int) -> int\n reg r int\n MULIK r n 2\n RET r\n",
         "12"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

TEST(readings_and_commands)
{
    static const struct op_case cases[] = {
        {"in base units", "fn main()\n reg x float\n reg s str\n READ x 0 temp\n" FLOAT("x"),
         "298.1"},
        {"text", "fn main()\n reg s str\n READ s 0 what\n" STR_("s"), "busy"},
        {"slope", "fn main()\n reg x float\n reg s str\n SLOPE x 0 0\n" FLOAT("x"), "2"},
        {"through a handle",
         "fn main()\n reg v Valve\n reg x float\n reg s str\n HBIND v w\n READH x v 0 0\n" FLOAT(
             "x"),
         "0.2"},
        {"random, now",
         "fn main()\n reg x float\n reg i int\n reg s str\n RANDOM x\n NOW i\n CONCAT s 2\n PART 5 "
         "x \n PART 3 i\n" STR_("s"),
         "0.251000000"},
        {"through none",
         "fn main()\n reg v Valve\n reg x float\n reg s str\n READH x v 0 0\n" FLOAT("x"),
         "line 5: this handle was moved away or has been taken back"},
        {"beyond a group",
         "fn main()\n reg v Valve\n reg i int\n reg s str\n LOADN i 2\n HGROUP v i v\n ARG 2\n "
         "RETV\n",
         "line 6: there is no element 2 in a group of 2"},
        {"waiting outside of a task", "fn main()\n reg x float\n LOADF x 1\n SLEEP x\n RETV\n",
         "line 4: only a task can wait"},
    };
    run_cases(cases, ARRAY_LEN(cases));
}

TEST(commands_are_told_in_declared_units)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg x float\n reg s str\n reg h Valve\n reg i int\n LOADF x 0.4\n "
                 "LOADS s \"hot\"\n"
                 " COMMAND 2 0 v 1\n ARG x\n ARG s\n LOADN i 1\n HGROUP h i v\n ARG 2\n COMMANDH h "
                 "0 1 0\n TO @busy\n"
                 " SETV s s\n RETV\n@busy\n STATE s 2 0\n RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(rig_log(&r), "v.1(40, hot);w.0();");
    CHECK_EQ_STR(rig_var(&r, "s"), "hot");
    r.command_result = ERR_BUSY;
    CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "the command v.set was refused: busy");
    rig_close(&r);
    rig_open(&r, "fn main()\n reg s str\n LOADS s \"out\"\n COMMAND 0 1 v 0\n TO @busy\n "
                 "RETV\n@busy\n STATE s 2 0\n"
                 " RETV\n");
    r.command_result = ERR_BUSY;
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(rig_log(&r), "v.0();say0.2 out;");
    rig_close(&r);
}
