#pragma once

/** @file
 *  Activations of a network that learns the rule of the paper, for tests and benchmarks of the
 *  estimators.
 */

#include <infoplane/dataset.h>
#include <infoplane/estimator.h>
#include <infoplane/network.h>
#include <math.h>

typedef struct {
  ip_dataset *data;
  ip_split *split;
  ip_network *network;
  ip_trainer *trainer;
  ip_training_set set; /**< the trainer borrows it: the struct stays where it is */
  ip_snapshot *snapshot;
  uint64_t epoch; /**< passes done */
} trained;

static inline void trained_free(trained *t)
{
  ip_snapshot_destroy(&t->snapshot);
  ip_trainer_destroy(&t->trainer);
  ip_network_destroy(&t->network);
  ip_split_destroy(&t->split);
  ip_dataset_destroy(&t->data);
}

/** width: shape (layers + 1), 12 first; activation: its name; at most this many patterns. */
static inline PetscErrorCode trained_new(size_t layers, const int32_t width[],
                                         const char *activation, ip_output output,
                                         int64_t samples, trained *t)
{
  const ip_network_shape shape = {.layers = layers,
                                  .width = width,
                                  .activation =
                                      (size_t)ip_names_find(ip_activation_name, activation),
                                  .output = output};
  const ip_training how = {
      .optimizer = IP_OPTIMIZER_ADAM, .learning_rate = 4e-4, .batch = 256, .seed = 1};
  const ip_dataset_spec spec = {.gamma = 54.492, .samples = samples, .keyed_choice = true};

  *t = (trained){0};
  PetscCall(ip_dataset_load(&spec, &t->data));
  PetscCall(ip_split_create((ip_split_rule)ip_names_find(ip_split_rule_name, "random"), 0.85,
                            t->data->n, 1, 0, &t->split));
  PetscCall(ip_network_create(&shape, &t->network));
  ip_network_initialize(t->network, IP_INIT_FAN_IN, 1, 0);
  t->set = (ip_training_set){.n = t->data->n,
                             .d = t->data->d,
                             .x = t->data->x,
                             .y = t->data->y,
                             .n_train = t->split->n_train,
                             .train = t->split->train};
  PetscCall(ip_trainer_create(t->network, &how, &t->set, &t->trainer));
  return ip_snapshot_create(t->network, t->data->n, &t->snapshot);
}

/** Train on until this many passes are done, and look. */
static inline PetscErrorCode trained_look(trained *t, uint64_t epoch)
{
  bool finite = true;

  while (t->epoch < epoch && finite)
    PetscCall(ip_trainer_epoch(t->trainer, t->epoch++, &finite));
  IP_CHECK(finite, IP_ERR_INTERNAL, "the network diverged");
  return ip_snapshot_take(t->network, t->data->x, t->snapshot);
}

/** Layer 1 .. layers as an estimator sees it. */
static inline ip_layer trained_layer(const trained *t, size_t layer)
{
  return (ip_layer){.n = t->data->n,
                    .d = (size_t)ip_network_width(t->network, layer),
                    .stride = ip_snapshot_stride(t->snapshot),
                    .k = t->data->k,
                    .t = ip_snapshot_layer(t->snapshot, layer),
                    .y = t->data->y,
                    .bounded = true,
                    .run_low = (double)NAN,
                    .run_high = (double)NAN};
}
