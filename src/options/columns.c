/* The list `estimate`: entries that name an estimator, its parameters and the patterns.

       {kind: kde, noise_variance: [1e-3, 1e-1], on: [full, test]}

   Lists multiply, the last parameter fastest and `on` fastest of all; each combination is one
   column.  What is said twice is measured once. */

#include "reader.h"
#include <infoplane/network.h>
#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 1000, ON = IP_MAX_PARAMETERS, AXES };

/* One entry: the values of every parameter, and of `on`. */
typedef struct {
  const ip_estimator *estimator;
  ip_values axis[AXES];
  ip_place place;
} entry;

static size_t n_parameters(const ip_estimator *estimator)
{
  size_t n = 0;

  while (estimator->parameter[n].key) n++;
  return n;
}

/* Every word that may be a key of some entry. */
static const char *entry_word(size_t i)
{
  static const char *const common[] = {"kind", "on"};
  enum { COMMON = sizeof common / sizeof common[0] };
  const ip_estimator *estimator;

  if (i < COMMON) return common[i];
  i -= COMMON;
  for (size_t row = 0; (estimator = ip_estimator_row(row)) != NULL; row++) {
    const size_t n = n_parameters(estimator);

    if (i < n) return estimator->parameter[i].key;
    i -= n;
  }
  return NULL;
}

static int find_parameter(const ip_estimator *estimator, const char *key)
{
  for (size_t p = 0; p < n_parameters(estimator); p++)
    if (!strcmp(estimator->parameter[p].key, key)) return (int)p;
  return strcmp(key, "on") ? -1 : ON;
}

static PetscErrorCode complain_key(ip_reader *reader, const ip_estimator *estimator,
                                   const ip_node *node)
{
  const char *nearest = ip_names_nearest(entry_word, node->key);
  char *shown, *hint;
  ip_text keys = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  if (nearest && find_parameter(estimator, nearest) < 0) nearest = NULL;
  PetscCall(ip_show_text(reader, node->key, &shown));
  PetscCall(ip_show_nearest(reader, nearest, &hint));
  for (size_t p = 0; p < n_parameters(estimator) && !code; p++)
    code = ip_text_add(&keys, "%s ", estimator->parameter[p].key);
  if (!code)
    code = ip_complain(reader, node->key_place,
                       "estimate: unknown key %s of %s, which takes: %son%s", shown,
                       estimator->name, keys.text, hint);
  ip_text_clear(&keys);
  return code;
}

/* The estimator that an entry names; NULL after an error. */
static PetscErrorCode read_kind(ip_reader *reader, const ip_node *node,
                                const ip_estimator **estimator)
{
  const ip_parameter row = {.key = "kind", .type = IP_CHOICE, .choice = ip_estimator_name};
  ip_value kind;
  bool ok;
  const ip_node *said = NULL;

  *estimator = NULL;
  if (node->broken) return PETSC_SUCCESS;
  if (node->kind != IP_NODE_MAPPING)
    return ip_complain(reader, node->place,
                       "estimate: an entry names an estimator, as in {kind: %s}",
                       ip_estimator_name(0));
  for (const ip_node *child = node->first; child; child = child->next) {
    if (strcmp(child->key, "kind") != 0) continue;
    if (said) return ip_complain(reader, child->key_place, "estimate: kind is given twice");
    said = child;
    PetscCall(ip_value_read(reader, "estimate: kind", &row, child, &kind, &ok));
    if (ok) *estimator = ip_estimator_row((size_t)kind.word);
  }
  if (said) return PETSC_SUCCESS;
  return ip_complain(reader, node->place,
                     "estimate: an entry without its kind, as in {kind: %s}",
                     ip_estimator_name(0));
}

static PetscErrorCode read_parameter(ip_reader *reader, const ip_node *node, entry *e)
{
  const int p = find_parameter(e->estimator, node->key);
  const ip_parameter *row;
  char *label;

  if (!strcmp(node->key, "kind")) return PETSC_SUCCESS;
  if (p < 0) return complain_key(reader, e->estimator, node);
  row = p == ON ? ip_option_row(IP_KEY_ON) : &e->estimator->parameter[p];
  PetscCall(ip_arena_print(&reader->arena, &label, "estimate: %s", row->key));
  if (e->axis[p].given)
    return ip_complain(reader, node->key_place, "%s is given twice in one entry", label);
  return ip_values_read(reader, label, row, node, true, &e->axis[p]);
}

/* *n = 0 after an error, else the number of columns of the entry. */
static PetscErrorCode read_entry(ip_reader *reader, const ip_draft *draft, const ip_node *node,
                                 entry *e, size_t *n)
{
  const size_t errors = reader->n_noted;

  *n = 0;
  *e = (entry){.place = node->place};
  PetscCall(read_kind(reader, node, &e->estimator));
  if (!e->estimator) return PETSC_SUCCESS;
  for (const ip_node *child = node->first; child; child = child->next)
    PetscCall(read_parameter(reader, child, e));
  if (reader->n_noted > errors) return PETSC_SUCCESS;

  *n = 1;
  if (!e->axis[ON].given) e->axis[ON] = draft->block->key[IP_KEY_ON];
  for (size_t p = 0; p < n_parameters(e->estimator); p++) {
    const int key = ip_names_find(ip_option_name, e->estimator->parameter[p].key);

    /* what has the name of a key of the block says otherwise for one entry */
    if (!e->axis[p].given && key >= 0) {
      e->axis[p] = draft->block->key[key];
    } else if (!e->axis[p].given) {
      PetscCall(ip_values_default(reader, &e->estimator->parameter[p], &e->axis[p]));
    }
    if (e->axis[p].n > 0) *n *= e->axis[p].n;
    if (*n > MOST_COLUMNS) break;
  }
  *n *= e->axis[ON].n;
  if (*n <= MOST_COLUMNS) return PETSC_SUCCESS;
  *n = 0;
  return ip_complain(reader, node->place, "estimate: more than %d columns in one entry",
                     MOST_COLUMNS);
}

/* Column number i of an entry, in mixed radix. */
static void pick_column(const entry *e, size_t i, ip_column *column)
{
  const ip_values *on = &e->axis[ON];

  *column = (ip_column){.estimator = e->estimator};
  column->on = (ip_on)on->value[i % on->n].word;
  i /= on->n;
  for (size_t p = n_parameters(e->estimator); p-- > 0;) {
    const ip_values *axis = &e->axis[p];

    column->value[p].word = -1;
    column->given[p] = axis->given;
    if (axis->n == 0) continue;
    column->value[p] = axis->value[i % axis->n];
    i /= axis->n;
  }
}

/* Whether a call of the estimators' room refused: then its message is noted at this place. */
static PetscErrorCode pass_on(ip_reader *reader, ip_place place, PetscErrorCode code,
                              bool *refused)
{
  char *message;

  *refused = code == (PetscErrorCode)IP_ERR_CONFIG;
  if (!*refused) return code;
  PetscCall(ip_arena_print(&reader->arena, &message, "%s", ip_error_message()));
  ip_error_clear();
  return ip_complain(reader, place, "estimate: %s", message);
}

static const char *unbounded_activation(const ip_block *block)
{
  const ip_values *values = &block->key[IP_KEY_NETWORK_ACTIVATION];

  for (size_t i = 0; i < values->n; i++) {
    const ip_activation *activation = ip_activation_row((size_t)values->value[i].word);

    if (isinf(activation->low) || isinf(activation->high)) return activation->name;
  }
  return NULL;
}

/* Same values; whether they were said or left to their defaults makes no difference. */
static bool columns_equal(const ip_column *a, const ip_column *b)
{
  if (a->estimator != b->estimator || a->on != b->on) return false;
  for (size_t p = 0; p < n_parameters(a->estimator); p++) {
    const ip_parameter *row = &a->estimator->parameter[p];
    const bool in_a = a->given[p] || row->initial, in_b = b->given[p] || row->initial;

    if (in_a != in_b || (in_a && !ip_value_equal(row, &a->value[p], &b->value[p])))
      return false;
  }
  return true;
}

/* Check, name and keep a column, unless it is there already. */
static PetscErrorCode add_column(ip_reader *reader, ip_block *block, ip_place place,
                                 const ip_column *candidate)
{
  ip_column column = *candidate;
  bool refused;

  PetscCall(pass_on(reader, place,
                    column.estimator->check_column(&column, unbounded_activation(block)),
                    &refused));
  if (refused) return PETSC_SUCCESS;
  PetscCall(pass_on(reader, place, ip_column_set_name(&column), &refused));
  if (refused) return PETSC_SUCCESS;
  for (size_t c = 0; c < block->n_columns; c++) {
    if (strcmp(block->column[c].name, column.name) != 0) continue;
    if (columns_equal(&block->column[c], &column)) return PETSC_SUCCESS;
    return ip_complain(reader, place, "estimate: two different columns would be called %s",
                       column.name);
  }
  block->column[block->n_columns++] = column;
  return PETSC_SUCCESS;
}

/* Errors of the default list are told where its trouble comes from. */
static ip_place visible_place(const ip_draft *draft, ip_place place)
{
  const ip_values *activation = &draft->block->key[IP_KEY_NETWORK_ACTIVATION];

  if (place.argument != IP_DEFAULT) return place;
  return activation->given ? ip_values_place(activation) : draft->place;
}

PetscErrorCode ip_columns_read(ip_reader *reader, ip_draft *draft)
{
  ip_block *block = draft->block;
  const ip_node *list = draft->estimate;
  size_t n, room = 0;
  entry e;

  if (list->broken) return PETSC_SUCCESS;
  if (list->kind != IP_NODE_LIST || list->n == 0)
    return ip_complain(reader, list->place,
                       "estimate: wants a list of entries, as in [{kind: %s}]",
                       ip_estimator_name(0));
  for (const ip_node *node = list->first; node; node = node->next) {
    PetscCall(read_entry(reader, draft, node, &e, &n));
    room += n;
  }
  if (room > MOST_COLUMNS)
    return ip_complain(reader, list->place, "estimate: %zu columns: at most %d are measured",
                       room, MOST_COLUMNS);
  PetscCall(IP_TAKE(&reader->arena, room, &block->column));
  for (const ip_node *node = list->first; node; node = node->next) {
    PetscCall(read_entry(reader, draft, node, &e, &n));
    for (size_t i = 0; i < n; i++) {
      ip_column column;

      pick_column(&e, i, &column);
      PetscCall(add_column(reader, block, visible_place(draft, e.place), &column));
    }
  }
  return PETSC_SUCCESS;
}
