/* The front door of the estimators: the table, the columns, and the checks around every call. */

#include <infoplane/estimator.h>
#include <infoplane/numerics.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS = IP_WORKSPACE_SLOTS - 1 }; /* the slot of the front door itself */

#define IP_ESTIMATOR(name) extern const ip_estimator ip_estimator_##name;
#include "table.def"
#undef IP_ESTIMATOR

static const ip_estimator *const table[] = {
#define IP_ESTIMATOR(name) &ip_estimator_##name,
#include "table.def"
#undef IP_ESTIMATOR
};

const ip_estimator *ip_estimator_row(size_t i)
{
  return i < sizeof table / sizeof table[0] ? table[i] : NULL;
}

const char *ip_estimator_name(size_t i)
{
  const ip_estimator *row = ip_estimator_row(i);

  return row ? row->name : NULL;
}

const char *ip_on_name(size_t i)
{
  static const char *const name[IP_ONS] = {"full", "train", "test"};

  return i < IP_ONS ? name[i] : NULL;
}

/* ---- columns ---- */

/* The default of a parameter; the first of a list.  The table is ours, so it can be read. */
static PetscErrorCode read_default(const ip_parameter *row, ip_value *value)
{
  char first[64] = "";

  *value = (ip_value){.word = -1};
  sscanf(row->initial, " [%63[^],]", first);
  if (first[0] == '\0') snprintf(first, sizeof first, "%s", row->initial);
  if (row->choice) value->word = ip_names_find(row->choice, first);
  if (value->word >= 0) return PETSC_SUCCESS;
  IP_CHECK(row->type == IP_INTEGER || row->type == IP_REAL, IP_ERR_INTERNAL,
           "%s: the default \"%s\" cannot be read", row->key, row->initial);
  value->real = strtod(first, NULL);
  value->integer = strtoll(first, NULL, 10);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_column_default(const ip_estimator *estimator, ip_column *column)
{
  ip_column made = {.estimator = estimator};
  const ip_parameter *row = estimator->parameter;

  for (size_t i = 0; row[i].key; i++) {
    IP_CHECK(i < IP_MAX_PARAMETERS, IP_ERR_INTERNAL, "%s: more than %d parameters",
             estimator->name, (int)IP_MAX_PARAMETERS);
    made.value[i].word = -1;
    if (row[i].initial) PetscCall(read_default(&row[i], &made.value[i]));
  }
  *column = made;
  return PETSC_SUCCESS;
}

bool ip_column_has(const ip_column *column, size_t p)
{
  ip_column said = *column;

  if (column->given[p]) return true;
  if (!column->estimator->parameter[p].initial) return false;
  said.given[p] = true; /* would it go with the rest? */
  if (column->estimator->check_column(&said, NULL) == PETSC_SUCCESS) return true;
  ip_error_clear();
  return false;
}

static PetscErrorCode name_whole(const ip_column *column, ip_text *name)
{
  PetscCall(column->estimator->name_column(column, name));
  if (column->on != IP_ON_FULL) PetscCall(ip_text_add(name, "_%s", ip_on_name(column->on)));
  IP_CHECK(name->length < IP_COLUMN_NAME, IP_ERR_CONFIG,
           "the name of the column \"%s\" is longer than %d characters", name->text,
           (int)IP_COLUMN_NAME - 1);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_column_set_name(ip_column *column)
{
  ip_text name = {0};
  const PetscErrorCode code = name_whole(column, &name);

  if (code == PETSC_SUCCESS) memcpy(column->name, name.text, name.length + 1);
  ip_text_clear(&name);
  return code;
}

/* ---- crew ---- */

/* Share of the members before m. */
static double share_before(const ip_crew *crew, size_t m)
{
  return m == 0 ? 0.0
                : crew->lead + (1.0 - crew->lead) * (double)(m - 1) / (double)(crew->size - 1);
}

void ip_crew_share(const ip_crew *crew, size_t n, const double cost[], size_t begin[])
{
  double all = 0.0, until = 0.0;
  size_t m = 0;

  for (size_t i = 0; i < n; i++) all += cost[i];
  for (size_t i = 0; i < n; i++) {
    /* an item belongs to the share in which its middle lies */
    while (m < crew->size && until + 0.5 * cost[i] >= share_before(crew, m) * all)
      begin[m++] = i;
    until += cost[i];
  }
  while (m <= crew->size) begin[m++] = n;
}

/* ---- workspace ---- */

struct ip_workspace {
  ip_crew crew;
  void *room[IP_WORKSPACE_SLOTS];
  size_t bytes[IP_WORKSPACE_SLOTS];
};

PetscErrorCode ip_workspace_create(ip_workspace **work)
{
  PetscCall(IP_ALLOCATE(1, work));
  ip_workspace_join(*work, NULL);
  return PETSC_SUCCESS;
}

void ip_workspace_join(ip_workspace *work, const ip_crew *crew)
{
  work->crew = crew ? *crew : (ip_crew){.size = 1, .lead = 1.0};
}

const ip_crew *ip_workspace_crew(const ip_workspace *work)
{
  return &work->crew;
}

void ip_workspace_destroy(ip_workspace **work)
{
  if (!*work) return;
  for (size_t i = 0; i < IP_WORKSPACE_SLOTS; i++) ip_release(&(*work)->room[i]);
  ip_release(work);
}

PetscErrorCode ip_workspace_room(ip_workspace *work, size_t slot, size_t bytes, void **room)
{
  IP_CHECK(slot < IP_WORKSPACE_SLOTS, IP_ERR_INTERNAL, "no slot %zu in a workspace", slot);
  if (work->bytes[slot] < bytes) {
    ip_release(&work->room[slot]);
    work->bytes[slot] = 0;
    PetscCall(ip_allocate_bytes(bytes, 1, &work->room[slot]));
    work->bytes[slot] = bytes;
  }
  *room = work->room[slot];
  return PETSC_SUCCESS;
}

/* ---- measuring ---- */

static PetscErrorCode check_activations(const ip_layer *layer)
{
  for (size_t u = 0; u < layer->d; u++) {
    const float *t = layer->t + u * layer->stride;

    if (ip_all_finite(layer->n, t)) continue;
    for (size_t i = 0; i < layer->n; i++)
      IP_CHECK(isfinite(t[i]), IP_ERR_INTERNAL, "activation of pattern %zu, unit %zu is %g", i,
               u, (double)t[i]);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode check_labels(const ip_layer *layer)
{
  for (size_t i = 0; i < layer->n; i++)
    IP_CHECK(0 <= layer->y[i] && layer->y[i] < layer->k, IP_ERR_INTERNAL,
             "label %d of pattern %zu is outside 0 .. %d", layer->y[i], i, layer->k - 1);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_distribution(size_t i, size_t k, const double p[])
{
  double sum = 0.0;

  for (size_t y = 0; y < k; y++) {
    IP_CHECK(p[y] >= 0.0, IP_ERR_INTERNAL, "p(y=%zu|x) of pattern %zu is %g", y, i, p[y]);
    sum += p[y];
  }
  IP_CHECK(fabs(sum - 1.0) <= 1e-9, IP_ERR_INTERNAL,
           "p(y|x) of pattern %zu adds up to %.17g, not 1", i, sum);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_layer(const ip_layer *layer)
{
  IP_CHECK(layer->n >= 1 && layer->d >= 1, IP_ERR_INTERNAL,
           "an empty layer: %zu patterns, %zu units", layer->n, layer->d);
  IP_CHECK(layer->n <= INT32_MAX && layer->k >= 1, IP_ERR_INTERNAL,
           "%zu patterns in %d classes: at most 2^31 - 1 patterns, at least one class",
           layer->n, layer->k);
  IP_CHECK(layer->stride >= layer->n && layer->stride % 16 == 0 &&
               (uintptr_t)layer->t % IP_ALIGNMENT == 0,
           IP_ERR_INTERNAL,
           "a layer of %zu patterns with stride %zu is not laid out as it must", layer->n,
           layer->stride);
  PetscCall(check_activations(layer));
  if (!layer->p) return check_labels(layer);
  for (size_t i = 0; i < layer->n; i++)
    PetscCall(check_distribution(i, (size_t)layer->k, layer->p + i * (size_t)layer->k));
  return PETSC_SUCCESS;
}

static PetscErrorCode check_answer(const ip_column *column, const ip_information *answer)
{
  IP_CHECK(isfinite(answer->i_xt) && isfinite(answer->i_ty), IP_ERR_INTERNAL,
           "column %s: I(X;T) = %g, I(T;Y) = %g bits", column->name, answer->i_xt,
           answer->i_ty);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_call(const ip_layer *layer, size_t n,
                                 const ip_column *const column[])
{
  IP_CHECK(n >= 1, IP_ERR_INTERNAL, "no columns to measure");
  for (size_t c = 1; c < n; c++)
    IP_CHECK(column[c]->estimator == column[0]->estimator, IP_ERR_INTERNAL,
             "columns %s and %s belong to two estimators", column[0]->name, column[c]->name);
  return check_layer(layer);
}

PetscErrorCode ip_estimate(const ip_layer *layer, size_t n, const ip_column *const column[],
                           ip_workspace *work, ip_information out[])
{
  void *room = NULL;

  PetscCall(check_call(layer, n, column));
  PetscCall(ip_workspace_room(work, ANSWERS, n * sizeof *out, &room));

  ip_information *answer = room;

  PetscCall(column[0]->estimator->measure(layer, n, column, work, answer));
  for (size_t c = 0; c < n; c++) PetscCall(check_answer(column[c], &answer[c]));
  memcpy(out, answer, n * sizeof *out);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_estimate_assist(const ip_layer *layer, size_t n,
                                  const ip_column *const column[], ip_workspace *work)
{
  PetscCall(check_call(layer, n, column));
  if (!column[0]->estimator->assist) return PETSC_SUCCESS;
  return column[0]->estimator->assist(layer, n, column, work);
}

PetscErrorCode ip_estimate_cells(const ip_layer *layer, const ip_column *column,
                                 ip_workspace *work, size_t *n_cells, uint32_t cell[])
{
  IP_CHECK(column->estimator->cells, IP_ERR_CONFIG,
           "column %s: %s keeps T continuous, it has no cells", column->name,
           column->estimator->name);
  PetscCall(check_layer(layer));
  return column->estimator->cells(layer, column, work, n_cells, cell);
}

PetscErrorCode ip_estimate_reference(const ip_layer *layer, const ip_column *column,
                                     ip_information *out)
{
  ip_information answer;

  PetscCall(check_layer(layer));
  PetscCall(column->estimator->measure_reference(layer, column, &answer));
  PetscCall(check_answer(column, &answer));
  *out = answer;
  return PETSC_SUCCESS;
}
