#include "adopt/adopt_internal.h"

#include <stdio.h>
#include <string.h>

enum { PROPOSAL_BYTES_MAX = 8 << 20, THINGS_MAX = 16 };

/* --- which things --- */

struct things {
    struct adopt_thing of[THINGS_MAX];
    size_t n, asked[THINGS_MAX]; /* how many topics of it were asked for */
};

static enum err not_heard(const struct adopt_view *v, struct str topic, struct error *e)
{
    struct str near = adopt_view_near(v, topic);
    (void)error_set(e, ERR_NOT_FOUND, "nothing was heard on %.*s that no device claims%s%.*s%s",
                    STR_FMT(topic), near.n ? "; did you mean " : "", STR_FMT(near),
                    near.n ? "?" : "");
    (void)snprintf(e->where, sizeof(e->where), "%.*s", STR_FMT(topic));
    return ERR_NOT_FOUND;
}

static enum err find_things(struct things *out, const struct adopt_view *v,
                            const struct adopt_request *q, struct error *e)
{
    out->n = 0;
    for (size_t i = 0; i < q->topic_n; i++) {
        const struct adopt_topic *t = adopt_view_topic(v, q->topics[i]);
        size_t k = 0;
        if (!t)
            return not_heard(v, q->topics[i], e);
        if (t->thing.obstacle)
            return error_set(e, ERR_INVALID, "%.*s tells nothing of a device: it %s",
                             STR_FMT(t->topic), adopt_obstacle_text(t->thing.obstacle));
        while (k < out->n && !adopt_same_thing(&out->of[k], &t->thing))
            k++;
        if (k == THINGS_MAX)
            return error_set(e, ERR_INVALID, "topics of more than %d things at once", THINGS_MAX);
        if (k == out->n) {
            out->of[k] = t->thing;
            out->asked[out->n++] = 0;
        }
        out->asked[k]++;
    }
    return out->n ? ERR_OK : error_set(e, ERR_INVALID, "no topic was named");
}

/* --- the draft --- */

/* What the first thing says of itself holds for all of them. */
static void draft_another(struct draft *d, const struct adopt_thing *of)
{
    struct str leaf = d->leaf, place = d->place, id = d->id, comment = d->comment, via = d->via;
    struct str online = d->online_topic;
    d->secondary = true;
    draft_thing(d, of);
    d->leaf = leaf;
    d->place = place;
    d->id = id;
    d->comment = comment;
    d->via = via;
    if (online.n)
        d->online_topic = online;
}

static void draft_things(struct draft *d, const struct things *things)
{
    for (size_t i = 0; i < things->n; i++) {
        d->only_asked = things->of[i].shape == SHAPE_VALUE && things->asked[i] > 1;
        if (i == 0)
            draft_thing(d, &things->of[i]);
        else
            draft_another(d, &things->of[i]);
    }
}

/* A model with actions needs one that is safe; nobody but a person knows which that is. */
static void need_safe_action(struct draft *d)
{
    for (size_t i = 0; i < d->command_n; i++)
        if (d->commands[i].safe)
            return;
    for (size_t i = 0; i < d->command_n; i++)
        draft_warn(d,
                   "%.*s(…) is left out: of a model's actions one must be safe, and it is not "
                   "known here which",
                   STR_FMT(d->commands[i].name));
    d->command_n = 0;
}

static enum err nothing_found(const struct draft *d, struct error *e)
{
    if (d->left_n)
        return error_set(e, ERR_INVALID, "nothing here becomes a property: %.*s%s%.*s: %.*s",
                         STR_FMT(d->left[0].topic), d->left[0].path.n ? " " : "",
                         STR_FMT(d->left[0].path), STR_FMT(d->left[0].why));
    return error_set(e, ERR_INVALID, "no values have been heard there that a property could have");
}

/* --- a device that is there --- */

static bool is_one_of(const struct lang_decl *device, const struct lang_site *site,
                      const struct things *things)
{
    for (size_t i = 0; i < things->n; i++)
        if (declared_thing(site, &things->of[i]) == device)
            return true;
    return false;
}

static enum err propose_more(struct adopt_proposal *out, struct draft *d,
                             const struct lang_site *site, const struct things *things,
                             struct error *e)
{
    const struct lang_decl *device = out->device_there, *model = device->type;
    out->device = device->name;
    out->model = model->name;
    out->model_there = model;
    subtract_device(d, site, device, is_one_of(device, site, things));
    if (!d->point_n && !d->command_n && !d->online_topic.n)
        return error_set(e, ERR_INVALID, "%.*s has all of it already", STR_FMT(device->name));
    size_t users = devices_of_model(site, model);
    out->model_text = model_text(d, model->name, model);
    out->device_text = device_text(d, device->name, model->name, device);
    if (out->model_text.n && users > 1)
        draft_warn(d, "%.*s is the model of %zu devices: the others will not have what is added",
                   STR_FMT(model->name), users);
    return ERR_OK;
}

/* --- a new one --- */

static const struct lang_decl *decl_named(const struct lang_site *site, enum lang_role role,
                                          struct str name)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (site->decls[i]->kind->role == role && str_eq(site->decls[i]->name, name))
            return site->decls[i];
    return NULL;
}

static enum err propose_new(struct adopt_proposal *out, struct draft *d,
                            const struct lang_site *site, const struct adopt_request *q,
                            struct error *e)
{
    out->model_there =
        q->model.n ? decl_named(site, LANG_ROLE_TYPE, q->model) : fitting_model(d, site);
    if (out->model_there) {
        enum err err = fit_to_model(d, out->model_there, e);
        if (err)
            return err;
        out->model = out->model_there->name;
    } else {
        out->model = proposed_model(d, site, q->model);
        out->model_text = model_text(d, out->model, NULL);
    }
    out->device = proposed_device(d, site, q->device);
    out->device_text = device_text(d, out->device, out->model, NULL);
    return out->device.n && out->model.n
               ? ERR_OK
               : error_set(e, ERR_INVALID, "no name can be made of %.*s: say one",
                           STR_FMT(q->topics[0]));
}

static enum err check_names(const struct adopt_request *q, struct error *e)
{
    if (q->device.n && !name_is_device_path(q->device))
        return error_set(e, ERR_INVALID,
                         "%.*s is no name of a device: letters, digits and _, with dots between "
                         "places, as in home.plug1",
                         STR_FMT(q->device));
    if (q->model.n && !name_is_model(q->model))
        return error_set(e, ERR_INVALID, "%.*s is no name of a model: letters, digits and _",
                         STR_FMT(q->model));
    return ERR_OK;
}

static enum err find_device(struct adopt_proposal *out, const struct lang_site *site,
                            const struct things *things, const struct adopt_request *q,
                            struct error *e)
{
    if (!q->device.n) {
        for (size_t i = 0; !out->device_there && i < things->n; i++)
            out->device_there = declared_thing(site, &things->of[i]);
        return ERR_OK;
    }
    for (size_t i = 0; i < site->decls_n; i++) {
        const struct lang_decl *d = site->decls[i];
        if (d->kind->head != LANG_HEAD_PATH || !str_eq(d->name, q->device))
            continue;
        if (d->kind->role != LANG_ROLE_RESOURCE)
            return error_set(e, ERR_EXISTS, "%.*s is a %s already", STR_FMT(d->name),
                             d->kind->word);
        out->device_there = d;
    }
    return ERR_OK;
}

static enum err propose(struct adopt_proposal *out, struct draft *d, const struct adopt_view *v,
                        const struct lang_site *site, const struct adopt_request *q,
                        struct error *e)
{
    struct things things;
    enum err err = check_names(q, e);
    if (!err)
        err = find_things(&things, v, q, e);
    if (!err)
        err = find_device(out, site, &things, q, e);
    if (err)
        return err;
    draft_things(d, &things);
    if (!d->point_n)
        return nothing_found(d, e);
    need_safe_action(d);
    return out->device_there ? propose_more(out, d, site, &things, e)
                             : propose_new(out, d, site, q, e);
}

/* What is heard, without topics of other devices that have not been asked for by name: that one of
 * them can't be read does not make it anybody's. */
static struct adopt_view *view_of(struct arena *a, const struct adopt_view *v,
                                  const struct adopt_request *q)
{
    struct adopt_view *own = arena_new(a, sizeof(*own));
    struct adopt_topic *topics = arena_array(a, v->n + 1, sizeof(*topics));
    if (!own || !topics)
        return NULL;
    *own = (struct adopt_view){
        .topics = topics, .documents = v->documents, .document_n = v->document_n};
    for (size_t i = 0; i < v->n; i++) {
        bool wanted = !v->topics[i].claimer.n;
        for (size_t k = 0; !wanted && k < q->topic_n; k++)
            wanted = str_eq(q->topics[k], v->topics[i].topic);
        if (wanted)
            topics[own->n++] = v->topics[i];
    }
    return own;
}

enum err adopt_propose(struct adopt_proposal *out, const struct adopt_view *v,
                       const struct lang_site *site, const struct adopt_request *q, struct error *e)
{
    *out = (struct adopt_proposal){0};
    arena_init(&out->arena, v->arena.alloc, PROPOSAL_BYTES_MAX);
    struct adopt_view *own = view_of(&out->arena, v, q);
    struct draft *d = own ? draft_new(&out->arena, own) : NULL;
    if (!d) {
        adopt_proposal_fini(out);
        return error_set(e, ERR_NOMEM, "no memory for a proposal");
    }
    d->asked = q->topics;
    d->asked_n = q->topic_n;
    enum err err = propose(out, d, v, site, q, e);
    if (out->arena.failed)
        err = error_set(e, ERR_NOMEM, "no memory for a proposal");
    if (err) {
        adopt_proposal_fini(out);
        return err;
    }
    out->topics = d->topics;
    out->topic_n = d->topic_n;
    out->left = d->left;
    out->left_n = d->left_n;
    out->warnings = d->warnings;
    out->warning_n = d->warning_n;
    return ERR_OK;
}

void adopt_proposal_put(const struct adopt_proposal *p, struct edit *ed)
{
    if (p->model_there)
        edit_into(ed, p->model_there, p->model_text);
    else
        edit_add_model(ed, p->model_text);
    if (p->device_there)
        edit_into(ed, p->device_there, p->device_text);
    else
        edit_add_device(ed, p->device_text);
}

void adopt_proposal_fini(struct adopt_proposal *p)
{
    if (p->arena.alloc)
        arena_fini(&p->arena);
    *p = (struct adopt_proposal){0};
}
