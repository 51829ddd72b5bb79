/* One network, from its first to its last epoch, and everything that is seen of it. */

#include "measure.h"
#include "stage.h"
#include "transition.h"
#include <math.h>
#include <time.h>

/* What training one run needs. */
typedef struct {
  const ip_plan *plan;
  const ip_run *run;
  const ip_measure *measure;
  const ip_dataset *data;
  int32_t *y; /* labels of this replicate */
  ip_split *split;
  ip_network *network;
  ip_trainer *trainer;
  ip_training_set set;
  measurement *measurement;
  float *kept; /* weights of each look, where a column needs a second pass */
  ip_pause pause;
  void *context;
  ip_record *record;
  bool stopped;
} training;

static const ip_value *value_of(const training *t, ip_key key)
{
  return t->run->value[key];
}

/* ---- setting up ------------------------------------------------------------------------------- */

static PetscErrorCode create_network(training *t)
{
  const ip_architecture *a = &t->plan->architecture[t->run->architecture];
  const ip_network_shape shape = {
      .layers = a->layers,
      .width = a->width,
      .activation = (size_t)value_of(t, IP_KEY_NETWORK_ACTIVATION)->word,
      .output = (ip_output)value_of(t, IP_KEY_NETWORK_OUTPUT)->word,
      .blas = (ip_blas)value_of(t, IP_KEY_NETWORK_BLAS)->word,
  };

  PetscCall(ip_network_create(&shape, &t->network));
  ip_network_initialize(t->network, (ip_init)value_of(t, IP_KEY_NETWORK_INIT)->word,
                        t->run->seed, t->run->replicate);
  return PETSC_SUCCESS;
}

static PetscErrorCode create_trainer(training *t)
{
  const ip_value *momentum = value_of(t, IP_KEY_TRAIN_MOMENTUM);
  const ip_training how = {
      .optimizer = (ip_optimizer)value_of(t, IP_KEY_TRAIN_OPTIMIZER)->word,
      .learning_rate = value_of(t, IP_KEY_TRAIN_LEARNING_RATE)->real,
      .momentum = momentum ? momentum->real : 0.0,
      .weight_decay = value_of(t, IP_KEY_TRAIN_WEIGHT_DECAY)->real,
      .batch = (size_t)t->run->batch,
      .seed = t->run->seed,
      .replicate = t->run->replicate,
  };

  t->set = (ip_training_set){.n = t->data->n,
                             .d = t->data->d,
                             .x = t->data->x,
                             .y = t->y,
                             .n_train = t->split->n_train,
                             .train = t->split->train};
  return ip_trainer_create(t->network, &how, &t->set, &t->trainer);
}

static PetscErrorCode prepare(training *t)
{
  const ip_labels labels = (ip_labels)value_of(t, IP_KEY_DATASET_LABELS)->word;

  PetscCall(IP_ALLOCATE(t->data->n, &t->y));
  PetscCall(ip_labels_draw(t->data, labels, t->run->seed, t->run->replicate, t->y));
  PetscCall(ip_split_create((ip_split_rule)value_of(t, IP_KEY_TRAIN_SPLIT)->word,
                            value_of(t, IP_KEY_TRAIN_FRACTION)->real, t->data->n, t->run->seed,
                            t->run->replicate, &t->split));
  PetscCall(create_network(t));
  PetscCall(create_trainer(t));
  PetscCall(measurement_create(t->plan, t->run, t->y, t->split, t->network, &t->measurement));
  ((int32_t *)t->record->array[IP_FIELD_train_test_overlap])[0] = (int32_t)t->split->overlap;
  if (measurement_has_second_pass(t->measurement))
    PetscCall(IP_ALLOCATE(t->measure->n_looks * ip_network_n_parameters(t->network), &t->kept));
  return measurement_entropies(t->measurement, t->record);
}

static void clear(training *t)
{
  measurement_destroy(&t->measurement);
  ip_trainer_destroy(&t->trainer);
  ip_network_destroy(&t->network);
  ip_split_destroy(&t->split);
  ip_release(&t->y);
  ip_release(&t->kept);
}

/* ---- what is seen at one look ------------------------------------------------------------------ */

/* Between two pieces of work, when so much is done: answer messages, hear of a stop.  Between two
   epochs this is also where a checkpoint will be written and a run taken up again. */
static PetscErrorCode pause_at(training *t, double epochs, double looks)
{
  const ip_run *r = t->run;

  if (!t->pause) return PETSC_SUCCESS;
  return t->pause(t->context, (epochs * r->cost_epoch + looks * r->cost_look) / r->cost,
                  &t->stopped);
}

static double *cells(const training *t, ip_field_index field, int32_t e)
{
  return &((double *)t->record->array[field])[e];
}

/* Loss and accuracy; *finite = false where the network has diverged, also where only patterns
   that neither train nor test show it, or only a parameter that activations do not. */
static void score(training *t, int32_t e, bool *finite)
{
  const ip_snapshot *snapshot = measurement_snapshot(t->measurement);

  ip_snapshot_score(snapshot, t->y, t->split->n_train, t->split->train,
                    cells(t, IP_FIELD_loss_train, e), cells(t, IP_FIELD_accuracy_train, e));
  ip_snapshot_score(snapshot, t->y, t->split->n_test, t->split->test,
                    cells(t, IP_FIELD_loss_test, e), cells(t, IP_FIELD_accuracy_test, e));
  *finite = *finite && ip_snapshot_is_finite(snapshot);
}

static PetscErrorCode look_at_gradients(training *t, int32_t e)
{
  const size_t layers = ip_network_layers(t->network);
  ip_gradient *g = NULL;

  PetscCall(IP_ALLOCATE(layers, &g));

  const PetscErrorCode code = ip_network_gradients(
      t->network, &t->set, t->measure->gradient_batch, t->run->seed, t->run->replicate, g);

  for (size_t l = 0; l < layers && code == PETSC_SUCCESS; l++) {
    const size_t i = (size_t)e * t->plan->n_layers + l;

    ((double *)t->record->array[IP_FIELD_gradient_mean_norm])[i] = g[l].mean_norm;
    ((double *)t->record->array[IP_FIELD_gradient_std_norm])[i] = g[l].std_norm;
    ((double *)t->record->array[IP_FIELD_gradient_sample_std_norm])[i] = g[l].sample_std_norm;
    ip_network_weight_statistics(t->network, l + 1,
                                 &((double *)t->record->array[IP_FIELD_weight_norm])[i],
                                 &((double *)t->record->array[IP_FIELD_weight_correlation])[i]);
  }
  ip_release(&g);
  return code;
}

/* Keep the weights of look number `look` in memory and, where asked for, in the record. */
static void keep_weights(training *t, size_t look)
{
  const size_t n = ip_network_n_parameters(t->network), room = t->plan->n_parameters;
  const float *weights = ip_network_parameters(t->network);
  const bool last = look + 1 == t->measure->n_looks;
  float *saved = t->record->array[IP_FIELD_weights];

  if (t->kept)
    for (size_t i = 0; i < n; i++) t->kept[look * n + i] = weights[i];
  if (t->measure->save == IP_SAVE_NO || (t->measure->save == IP_SAVE_FINAL && !last)) return;
  if (t->plan->save == IP_SAVE_LOOKED) saved += (size_t)t->measure->look[look] * room;
  for (size_t i = 0; i < n; i++) saved[i] = weights[i];
}

/* All that does not depend on the columns. */
static PetscErrorCode look_at_network(training *t, int32_t e, bool *finite)
{
  PetscCall(measurement_snapshot_take(t->measurement));
  ((int64_t *)t->record->array[IP_FIELD_updates])[e] = ip_trainer_updates(t->trainer);
  score(t, e, finite);
  return *finite ? look_at_gradients(t, e) : PETSC_SUCCESS;
}

static PetscErrorCode look_at(training *t, size_t look, bool *finite)
{
  const int32_t e = t->measure->look[look];
  const double layers = (double)ip_network_layers(t->network);

  PetscCall(stage_begin("look"));

  const PetscErrorCode code = look_at_network(t, e, finite);

  PetscCall(stage_end());
  if (code != PETSC_SUCCESS || !*finite) return code;

  keep_weights(t, look);
  for (size_t l = 1; l <= ip_network_layers(t->network) && !t->stopped; l++) {
    PetscCall(measurement_layer(t->measurement, l, e, FIRST_PASS, t->record));
    PetscCall(pause_at(t, t->plan->epoch[e], (double)look + (double)l / layers));
  }
  return PETSC_SUCCESS;
}

/* Columns whose range is that of the whole run: every look once more, from its kept weights. */
static PetscErrorCode second_pass(training *t, size_t looks)
{
  const size_t n = ip_network_n_parameters(t->network);
  float *weights = ip_network_parameters(t->network);

  for (size_t look = 0; look < looks && t->kept && !t->stopped; look++) {
    for (size_t i = 0; i < n; i++) weights[i] = t->kept[look * n + i];
    PetscCall(measurement_snapshot_take(t->measurement));
    for (size_t l = 1; l <= ip_network_layers(t->network); l++)
      PetscCall(
          measurement_layer(t->measurement, l, t->measure->look[look], SECOND_PASS, t->record));
    PetscCall(pause_at(t, t->run->epochs, (double)t->measure->n_looks));
  }
  return PETSC_SUCCESS;
}

/* ---- from first to last epoch ------------------------------------------------------------------ */

static PetscErrorCode train_epoch(training *t, int32_t epoch, size_t looks, bool *finite)
{
  PetscCall(stage_begin("train"));

  const PetscErrorCode code = ip_trainer_epoch(t->trainer, (uint64_t)epoch, finite);

  PetscCall(stage_end());
  PetscCall(code);
  return pause_at(t, epoch + 1.0, (double)looks);
}

static PetscErrorCode all_epochs(training *t)
{
  bool finite = true;
  size_t looks = 0;
  int32_t epoch = 0;

  for (;; epoch++) {
    if (looks < t->measure->n_looks && t->plan->epoch[t->measure->look[looks]] == epoch) {
      PetscCall(look_at(t, looks, &finite));
      looks += (size_t)finite;
    }
    if (!finite || t->stopped || epoch == t->run->epochs) break;
    PetscCall(train_epoch(t, epoch, looks, &finite));
  }
  if (!finite) ((int32_t *)t->record->array[IP_FIELD_diverged_epoch])[0] = epoch;
  t->record->status = finite ? IP_STATUS_DONE : IP_STATUS_DIVERGED;
  PetscCall(second_pass(t, looks));
  return finite && !t->stopped ? transitions_find(t->plan, t->record) : PETSC_SUCCESS;
}

static PetscErrorCode train(training *t)
{
  PetscCall(prepare(t));
  return all_epochs(t);
}

static double seconds_now(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

PetscErrorCode ip_run_train(const ip_plan *plan, size_t run, ip_pause pause, void *context,
                            ip_record *record, bool *stopped)
{
  const double start = seconds_now();
  training t = {.plan = plan,
                .run = &plan->run[run],
                .measure = &plan->measure[plan->run[run].measure],
                .data = plan->data->set[plan->run[run].data],
                .pause = pause,
                .context = context,
                .record = record};

  ip_record_reset(record, run);

  const PetscErrorCode code = train(&t);

  clear(&t);
  PetscCall(code);
  record->seconds = seconds_now() - start;
  *stopped = t.stopped;
  return PETSC_SUCCESS;
}
