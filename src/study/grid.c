/* The grid of a block: every combination of the values of its keys. */

#include "grid.h"
#include <string.h>

static bool names_data(size_t key)
{
  return key <= IP_KEY_DATASET_CHOICE || key == IP_KEY_SEED; /* dataset.* open the table */
}

/* A key that changes nothing at these values names no other run. */
static void drop_meaningless(const ip_value *value[])
{
  const ip_dataset_kind *kind = ip_dataset_row((size_t)value[IP_KEY_DATASET_NAME]->word);

  if (!kind->needs_path) value[IP_KEY_DATASET_PATH] = NULL;
  if (strcmp(kind->name, "idx") != 0) value[IP_KEY_DATASET_LABELS_PATH] = NULL;
  if (value[IP_KEY_DATASET_LABELS]->word != IP_LABELS_STOCHASTIC)
    value[IP_KEY_DATASET_GAMMA] = NULL;
  if (value[IP_KEY_DATASET_SAMPLES]->word == IP_SAMPLES_ALL)
    value[IP_KEY_DATASET_CHOICE] = NULL;
  if (value[IP_KEY_TRAIN_OPTIMIZER]->word != IP_OPTIMIZER_MOMENTUM)
    value[IP_KEY_TRAIN_MOMENTUM] = NULL;
  if (value[IP_KEY_TRAIN_UPDATES]) value[IP_KEY_TRAIN_EPOCHS] = NULL;
}

static void look_up(grid *g)
{
  for (size_t key = 0; key < IP_KEYS; key++) {
    const ip_values *values = &g->block->key[key];
    const bool of_run = ip_option_row(key)->scope == IP_SCOPE_RUN;

    g->value[key] = of_run && values->n > 0 ? &values->value[g->at[key]] : NULL;
  }
  drop_meaningless(g->value);
  for (size_t key = 0; ip_block_is_given(g->block) && key < IP_KEYS; key++)
    if (!ip_key_is_used(g->block, key)) g->value[key] = NULL;
}

void grid_begin(grid *g, const ip_block *block, grid_keys keys)
{
  *g = (grid){.block = block};
  for (size_t key = 0; key < IP_KEYS; key++)
    g->axis[key] = ip_option_row(key)->scope == IP_SCOPE_RUN && block->key[key].n > 1 &&
                   (keys == GRID_RUNS || names_data(key));
  look_up(g);
}

void grid_next(grid *g)
{
  size_t key = IP_KEYS;

  while (key-- > 0) {
    if (!g->axis[key]) continue;
    if (++g->at[key] < g->block->key[key].n) break;
    g->at[key] = 0;
  }
  /* All counters fell back to zero: key ran below the first. */
  g->end = key == (size_t)-1;
  if (!g->end) look_up(g);
}

static const char *string_or_null(const ip_value *value)
{
  return value ? value->string : NULL;
}

ip_dataset_spec grid_dataset(const ip_value *const value[])
{
  const ip_value *samples = value[IP_KEY_DATASET_SAMPLES];
  const ip_value *labels = value[IP_KEY_DATASET_LABELS];
  const bool all = !samples || samples->word == IP_SAMPLES_ALL;
  const bool stochastic = labels && labels->word == IP_LABELS_STOCHASTIC;
  const bool keyed = !all && value[IP_KEY_DATASET_CHOICE]->word == 1;

  return (ip_dataset_spec){
      .kind = (size_t)value[IP_KEY_DATASET_NAME]->word,
      .path = string_or_null(value[IP_KEY_DATASET_PATH]),
      .labels_path = string_or_null(value[IP_KEY_DATASET_LABELS_PATH]),
      .labels = stochastic ? IP_LABELS_STOCHASTIC : IP_LABELS_DETERMINISTIC,
      .gamma = stochastic ? value[IP_KEY_DATASET_GAMMA]->real : 0.0,
      .samples = all ? 0 : samples->integer,
      .keyed_choice = keyed,
      .seed = keyed ? (uint64_t)value[IP_KEY_SEED]->integer : 0,
  };
}
