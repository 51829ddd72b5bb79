/* What keys say together: each alone was fine. */

#include "reader.h"
#include <infoplane/dataset.h>
#include <infoplane/network.h>
#include <string.h>

/* Whether some value of a key is this word. */
static bool has_word(const ip_block *block, ip_key key, int word)
{
  const ip_values *values = &block->key[key];

  for (size_t i = 0; i < values->n; i++)
    if (values->value[i].word == word) return true;
  return false;
}

/* The first data set of the block that reads a file (or does not), NULL if there is none. */
static const char *dataset_with_path(const ip_block *block, bool needs_path)
{
  const ip_values *values = &block->key[IP_KEY_DATASET_NAME];

  for (size_t i = 0; i < values->n; i++) {
    const ip_dataset_kind *kind = ip_dataset_row((size_t)values->value[i].word);

    if (kind->needs_path == needs_path) return kind->name;
  }
  return NULL;
}

/* Keys that only some values of another key use. */
static const struct {
  ip_key key, other;
  const char *belongs_to; /* NULL: displaced without a word */
} dependent[] = {
    {IP_KEY_DATASET_PATH,        IP_KEY_DATASET_NAME,    "a dataset.name that reads a file"},
    {IP_KEY_DATASET_LABELS_PATH, IP_KEY_DATASET_NAME,    "dataset.name: idx"               },
    {IP_KEY_DATASET_GAMMA,       IP_KEY_DATASET_LABELS,  "dataset.labels: stochastic"      },
    {IP_KEY_DATASET_CHOICE,      IP_KEY_DATASET_SAMPLES, "a number of dataset.samples"     },
    {IP_KEY_TRAIN_MOMENTUM,      IP_KEY_TRAIN_OPTIMIZER, "train.optimizer: momentum"       },
    {IP_KEY_TRAIN_EPOCHS,        IP_KEY_TRAIN_UPDATES,   NULL                              },
};
enum { DEPENDENT = sizeof dependent / sizeof dependent[0] };

bool ip_block_is_given(const ip_block *block)
{
  const ip_values *values = &block->key[IP_KEY_DATASET_NAME];

  for (size_t i = 0; i < values->n; i++)
    if (ip_dataset_row((size_t)values->value[i].word)->given) return true;
  return false;
}

/* All that is known of a network whose training we have not seen. */
static bool says_something_of_given(size_t key)
{
  const ip_scope scope = ip_option_row(key)->scope;

  return key == IP_KEY_DATASET_NAME || key == IP_KEY_DATASET_PATH ||
         key == IP_KEY_NETWORK_HIDDEN || key == IP_KEY_LOOK || key == IP_KEY_ON ||
         key == IP_KEY_NAME || (scope == IP_SCOPE_LAYOUT && key != IP_KEY_REPEAT) ||
         scope == IP_SCOPE_LAUNCH;
}

bool ip_key_is_used(const ip_block *block, size_t key)
{
  if (ip_block_is_given(block)) return says_something_of_given(key);
  switch (key) {
  case IP_KEY_DATASET_PATH:
    return dataset_with_path(block, true) != NULL;
  case IP_KEY_DATASET_LABELS_PATH:
    return has_word(block, IP_KEY_DATASET_NAME, ip_names_find(ip_dataset_name, "idx"));
  case IP_KEY_DATASET_GAMMA:
    return has_word(block, IP_KEY_DATASET_LABELS, IP_LABELS_STOCHASTIC);
  case IP_KEY_DATASET_CHOICE:
    return has_word(block, IP_KEY_DATASET_SAMPLES, -1);
  case IP_KEY_TRAIN_MOMENTUM:
    return has_word(block, IP_KEY_TRAIN_OPTIMIZER, IP_OPTIMIZER_MOMENTUM);
  case IP_KEY_TRAIN_EPOCHS:
    return !block->key[IP_KEY_TRAIN_UPDATES].given;
  default:
    return true;
  }
}

/* Given, but not readable: then nobody knows what it would have used. */
static bool is_broken(const ip_values *values)
{
  return values->given && values->n == 0;
}

static bool same_place(const ip_values *a, const ip_values *b)
{
  return a->given && b->given && a->origin == b->origin && a->line == b->line &&
         a->column == b->column;
}

/* A value that no block in which it is in force uses is a mistake. */
static PetscErrorCode check_use(ip_reader *reader, size_t n, const ip_draft draft[], size_t d)
{
  const ip_key key = dependent[d].key;

  for (size_t b = 0; b < n; b++) {
    const ip_values *values = &draft[b].block->key[key];
    bool used = false;

    for (size_t other = 0; other < n && !used; other++)
      used = same_place(&draft[other].block->key[key], values) &&
             (ip_key_is_used(draft[other].block, key) ||
              is_broken(&draft[other].block->key[dependent[d].other]));
    if (values->given && !is_broken(values) && !used)
      PetscCall(ip_complain(reader, ip_values_place(values), "%s is not used: it belongs to %s",
                            ip_option_row(key)->key, dependent[d].belongs_to));
  }
  return PETSC_SUCCESS;
}

/* Nor is one of training, where nothing is trained. */
static PetscErrorCode check_given(ip_reader *reader, const ip_draft *draft)
{
  const ip_block *block = draft->block;

  for (size_t key = 0; key < IP_KEYS && ip_block_is_given(block); key++)
    if (block->key[key].given && !ip_key_is_used(block, key))
      PetscCall(ip_complain(reader, ip_values_place(&block->key[key]),
                            "%s is not used: it is about training, and these activations are "
                            "measured as they are",
                            ip_option_row(key)->key));
  return PETSC_SUCCESS;
}

static PetscErrorCode check_dataset(ip_reader *reader, const ip_draft *draft)
{
  const ip_block *block = draft->block;
  const char *reads = dataset_with_path(block, true);
  const ip_values *name = &block->key[IP_KEY_DATASET_NAME],
                  *labels = &block->key[IP_KEY_DATASET_LABELS];
  const int symmetric = ip_names_find(ip_dataset_name, "symmetric");

  if (reads && !block->key[IP_KEY_DATASET_PATH].given)
    PetscCall(ip_complain(reader, ip_values_place(name),
                          "dataset.name: \"%s\" reads a file: give dataset.path", reads));
  if (!has_word(block, IP_KEY_DATASET_LABELS, IP_LABELS_STOCHASTIC)) return PETSC_SUCCESS;
  for (size_t i = 0; i < name->n; i++)
    if (name->value[i].word != symmetric)
      return ip_complain(reader, ip_values_place(labels),
                         "dataset.labels: stochastic needs the rule p(y|x) of dataset.name: "
                         "symmetric, which \"%s\" does not have",
                         ip_dataset_name((size_t)name->value[i].word));
  return PETSC_SUCCESS;
}

/* What no run of a block uses is as if it had not been said there. */
static PetscErrorCode forget_unused(ip_reader *reader, ip_block *block)
{
  for (size_t d = 0; d < DEPENDENT; d++) {
    const ip_key key = dependent[d].key;

    if (block->key[key].given && !ip_key_is_used(block, key))
      PetscCall(ip_values_default(reader, ip_option_row(key), &block->key[key]));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_drafts_check(ip_reader *reader, size_t n, ip_draft draft[])
{
  for (size_t b = 0; b < n; b++) PetscCall(check_dataset(reader, &draft[b]));
  for (size_t b = 0; b < n; b++) PetscCall(check_given(reader, &draft[b]));
  for (size_t d = 0; d < DEPENDENT; d++)
    if (dependent[d].belongs_to) PetscCall(check_use(reader, n, draft, d));
  for (size_t b = 0; b < n; b++) PetscCall(forget_unused(reader, draft[b].block));
  return PETSC_SUCCESS;
}
