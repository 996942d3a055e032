/* adopt_internal: a draft: what a thing's topics say, gathered before it is a model and a device.
 *
 * The habits of a maker (tasmota.c, zigbee.c, shelly.c, esphome.c, plain.c) add points, commands
 * and signs of life; propose.c makes declarations of them.
 * Ownership: the texts live in the draft's arena. Threads: none. Bounds: the constants; what does
 * not fit is left out, and says so. */
#pragma once

#include "adopt/name.h"
#include "adopt/propose.h"
#include "adopt/view.h"

enum {
    DRAFT_POINTS_MAX = 64,
    DRAFT_COMMANDS_MAX = 24,
    DRAFT_SOURCES_MAX = 3,
    DRAFT_LEFT_MAX = 64,
    DRAFT_WARNINGS_MAX = 16,
    DRAFT_TOPICS_MAX = 64,
};

enum point_kind { POINT_FLOAT, POINT_INT, POINT_BOOL, POINT_STR };

/* A value that becomes a property. */
struct point {
    struct str name; /* made unique by draft_point() */
    enum point_kind kind;
    struct str unit; /* "": a plain number */
    bool has_range;
    double min, max;
    struct str comment;
    struct {
        struct str topic, path;
    } sources[DRAFT_SOURCES_MAX];
    size_t source_n;
    bool by_convention; /* `via mqtt … json` maps it */
    double scale;       /* of its sources; 0: none */
    struct str yes, no; /* words that are not the usual ones */
    bool seen;          /* a number has been */
    double seen_min, seen_max;
};

/* What becomes an action. */
struct command {
    struct str name;
    struct str param, param_type; /* "": none */
    struct str confirms;          /* a condition; "": `answer` tells */
    struct str topic, payload; /* the payload as the language writes it: "ON", { state = "ON" } */
    struct str answer;         /* a topic; "": none */
    bool safe;                 /* may be the model's safe action */
};

struct draft {
    struct arena *arena;
    const struct adopt_view *view;
    const struct str *asked; /* the topics that were asked for */
    size_t asked_n;
    bool only_asked; /* of bare values: several were named, so it is not all of their place */
    bool secondary;  /* another thing's were drafted before: no convention, which is the first's */
    struct point points[DRAFT_POINTS_MAX];
    size_t point_n, point_max; /* 1: it is only to be known whether there is any */
    struct command commands[DRAFT_COMMANDS_MAX];
    size_t command_n;
    struct str online_topic; /* says whether it is there; "": nothing does */
    struct str via;          /* B of `via mqtt "B" json`; "": none */
    struct str id;           /* "": none is known */
    struct str leaf;         /* of the device's name: "plug1" */
    struct str place;        /* what stands before it by its topic, with dots: "garden"; "" */
    struct str model;        /* a word for its kind, if the maker gives one: "Plug"; "" */
    struct str comment;      /* above its declaration: "Sonoff S31 by …"; "" */
    struct adopt_left left[DRAFT_LEFT_MAX];
    size_t left_n;
    struct str warnings[DRAFT_WARNINGS_MAX];
    size_t warning_n;
    struct str topics[DRAFT_TOPICS_MAX]; /* that become the device's */
    size_t topic_n;
};

/* For the arena's user; NULL: no memory. */
struct draft *draft_new(struct arena *a, const struct adopt_view *v);
/* NULL: no room. `name` is made unique: behind `group` (what the value is part of, "AM2301") if
 * that helps, else by a number. */
struct point *draft_point(struct draft *d, struct str name, struct str group);
struct point *draft_find(struct draft *d, struct str name);
void draft_source(struct draft *d, struct point *p, struct str topic, struct str path);
struct command *draft_command(struct draft *d, struct str name);
void draft_leave(struct draft *d, struct str topic, struct str path, const char *why);
void draft_warn(struct draft *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
void draft_topic(struct draft *d, struct str topic);
bool draft_asked(const struct draft *d, struct str topic);
/* More about a point, behind what is said already. */
void draft_note(struct draft *d, struct point *p, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What a value is by its name and by what was seen of it: kind, unit, range, words. A unit that
 * the maker tells is given before (p->unit) and `told` says so. False: it is nothing to have
 * (a time, an address, nothing yet), and has been left out. */
bool draft_guess(struct draft *d, struct point *p, const struct adopt_field *f, struct str topic,
                 struct str key, bool told);
/* Whether the words are those of a boolean that everybody knows (on and off). */
bool guess_is_usual(struct str word);
/* A point of the field, guessed and with its source. NULL: left out. */
struct point *draft_field(struct draft *d, const struct adopt_topic *t, const struct adopt_field *f,
                          struct str name, struct str group, const char *unit);
/* on() and off() for a boolean point, with what is published; off() is safe. */
void draft_switch(struct draft *d, const struct point *p, struct str suffix, struct str topic,
                  struct str on, struct str off);

/* The last key of a path, and what stands before it: "ENERGY.Power[1]" is Power in ENERGY, at 1. */
struct value_place {
    struct str key, group;
    int index; /* -1: not in a list */
};
struct value_place value_place(struct str path, struct arena *a);
/* The text of a member of a JSON object; "" if there is none, or it is no text. */
struct str json_text_of(struct str object, const char *key, struct arena *a);
/* Splits "garden/bed1" into the device's last part and the place before it. */
void draft_named(struct draft *d, struct str base);

/* Of whatever shape it is. */
void draft_thing(struct draft *d, const struct adopt_thing *of);
/* The makers' habits: everything of the thing that `of` is. */
void draft_tasmota(struct draft *d, const struct adopt_thing *of);
void draft_zigbee(struct draft *d, const struct adopt_thing *of);
void draft_shelly1(struct draft *d, const struct adopt_thing *of);
void draft_shelly2(struct draft *d, const struct adopt_thing *of);
void draft_esphome(struct draft *d, const struct adopt_thing *of);
void draft_plain(struct draft *d, const struct adopt_thing *of);
bool draft_senml(struct draft *d, const struct adopt_topic *t); /* false: it is no pack */

/* propose_name.c: names that are free and fit. */
struct str proposed_device(struct draft *d, const struct lang_site *site, struct str wanted);
struct str proposed_model(struct draft *d, const struct lang_site *site, struct str wanted);

/* propose_fit.c: what is declared already. */
struct str point_type(const struct point *p); /* "°C", "bool" */
/* The device of the site that is this thing: one of its topics is in its body. NULL: none. */
const struct lang_decl *declared_thing(const struct lang_site *site, const struct adopt_thing *of);
/* A model that has just what the draft has; NULL: none. */
const struct lang_decl *fitting_model(const struct draft *d, const struct lang_site *site);
/* Leaves of the draft what the model knows. ERR_INVALID: it needs what the draft has not. */
MUST_USE enum err fit_to_model(struct draft *d, const struct lang_decl *model, struct error *e);
/* Takes out of the draft what the device has already. `same_thing`: a topic of the thing is in its
 * body; else it is made this thing, too, and what its model can do is sent there. */
void subtract_device(struct draft *d, const struct lang_site *site, const struct lang_decl *device,
                     bool same_thing);
/* Whether a text in quotes is in the declaration's source. */
bool source_names(const struct lang_site *site, const struct lang_decl *decl, struct str text);
size_t devices_of_model(const struct lang_site *site, const struct lang_decl *model);

/* propose_text.c */
struct str model_text(struct draft *d, struct str name, const struct lang_decl *there);
struct str device_text(struct draft *d, struct str name, struct str model,
                       const struct lang_decl *there);
