/* One network, from its first to its last epoch, and everything that is seen of it. */

#include "stage.h"
#include "training.h"
#include "transition.h"
#include <infoplane/numerics.h>
#include <math.h>

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

PetscErrorCode training_prepare(training *t)
{
  const ip_labels labels = (ip_labels)value_of(t, IP_KEY_DATASET_LABELS)->word;

  PetscCall(IP_ALLOCATE(t->data->n, &t->y));
  PetscCall(ip_labels_draw(t->data, labels, t->run->seed, t->run->replicate, t->y));
  PetscCall(ip_split_create((ip_split_rule)value_of(t, IP_KEY_TRAIN_SPLIT)->word,
                            value_of(t, IP_KEY_TRAIN_FRACTION)->real, t->data->n, t->run->seed,
                            t->run->replicate, &t->split));
  PetscCall(create_network(t));
  return measurement_create(t->plan, t->run, t->y, t->split, t->network, &t->measurement);
}

static PetscErrorCode prepare(training *t)
{
  PetscCall(training_prepare(t));
  PetscCall(create_trainer(t));
  t->at = (place){.finite = true};
  ((int32_t *)t->record->array[IP_FIELD_train_test_overlap])[0] = (int32_t)t->split->overlap;
  if (measurement_has_second_pass(t->measurement) || t->measure->activations)
    PetscCall(IP_ALLOCATE(t->measure->n_looks * ip_network_n_parameters(t->network), &t->kept));
  return measurement_entropies(t->measurement, t->record);
}

void training_clear(training *t)
{
  measurement_destroy(&t->measurement);
  ip_trainer_destroy(&t->trainer);
  ip_network_destroy(&t->network);
  ip_split_destroy(&t->split);
  ip_release(&t->y);
  ip_release(&t->kept);
}

/* ---- what is seen at one look ------------------------------------------------------------------ */

/* Between two pieces of work: answer messages, hear of a stop, and keep what
   there is from time to time. */
static PetscErrorCode pause_now(training *t)
{
  const ip_run *r = t->run;
  const ip_company *company = t->company;
  const double layers = (double)ip_network_layers(t->network),
               looks = (double)t->at.looks + (double)t->at.layers / layers,
               share = ((double)t->at.epoch * r->cost_epoch + looks * r->cost_look) / r->cost;

  if (!company) return PETSC_SUCCESS;
  if (company->pause) PetscCall(company->pause(company->context, share, &t->stopped));
  if (!company->keeper) return PETSC_SUCCESS;
  return t->stopped || training_clock() - t->saved >= company->keeper->seconds
             ? training_save(t, share)
             : PETSC_SUCCESS;
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

/* ---- assistants -------------------------------------------------------------------------------- */

/* They begin with the layers of the look that is due while we look at the network. */
static PetscErrorCode call_assistants(training *t)
{
  const ip_assistants *a = t->company ? t->company->assistants : NULL;
  const ip_shared_look look = {.run = t->record->run,
                               .first = (size_t)t->at.layers + 1,
                               .n = ip_network_n_parameters(t->network),
                               .weights = ip_network_parameters(t->network)};
  ip_crew crew;

  if (!a || !ip_run_is_shared(t->plan, t->record->run)) return PETSC_SUCCESS;
  PetscCall(a->call(a->context, &look, &crew));
  t->assisted = true;
  measurement_join(t->measurement, &crew);
  return PETSC_SUCCESS;
}

static PetscErrorCode dismiss_assistants(training *t, bool measured)
{
  if (!t->assisted) return PETSC_SUCCESS;
  t->assisted = false;
  measurement_join(t->measurement, NULL);
  return t->company->assistants->dismiss(t->company->assistants->context, measured);
}

/* ---- one look ---------------------------------------------------------------------------------- */

/* All that does not depend on the columns. */
static PetscErrorCode look_at_network(training *t, int32_t e, bool *finite)
{
  PetscCall(measurement_snapshot_take(t->measurement));
  ((int64_t *)t->record->array[IP_FIELD_updates])[e] = ip_trainer_updates(t->trainer);
  score(t, e, finite);
  return *finite ? look_at_gradients(t, e) : PETSC_SUCCESS;
}

/* All layers of a look, or those that are left. */
static PetscErrorCode measure_layers(training *t, size_t look)
{
  const size_t layers = ip_network_layers(t->network);
  const int32_t e = t->measure->look[look];

  while ((size_t)t->at.looks == look && !t->stopped) {
    const size_t layer = (size_t)t->at.layers + 1;

    PetscCall(measurement_layer(t->measurement, layer, e, FIRST_PASS, t->record));
    t->at.layers = layer < layers ? (int64_t)layer : 0;
    t->at.looks += layer == layers;
    if (layer == layers) PetscCall(dismiss_assistants(t, true));
    PetscCall(pause_now(t));
  }
  return PETSC_SUCCESS;
}

/* The look that is due; *finite = false: there is nothing to see any more. */
static PetscErrorCode look_at(training *t, bool *finite)
{
  const size_t look = (size_t)t->at.looks;
  const int32_t e = t->measure->look[look];

  if (*finite) PetscCall(call_assistants(t));
  PetscCall(stage_begin("look"));

  const PetscErrorCode code = look_at_network(t, e, finite);

  PetscCall(stage_end());
  if (code != PETSC_SUCCESS || !*finite) return code;

  keep_weights(t, look);
  return measure_layers(t, look);
}

/* See the layers as they were, from the kept weights. */
static PetscErrorCode return_to_look(training *t, size_t look)
{
  const size_t n = ip_network_n_parameters(t->network);
  float *weights = ip_network_parameters(t->network);

  for (size_t i = 0; i < n; i++) weights[i] = t->kept[look * n + i];
  return measurement_snapshot_take(t->measurement);
}

/* Columns whose range is that of the whole run: every look once more. */
static PetscErrorCode second_pass(training *t)
{
  while (measurement_has_second_pass(t->measurement) && t->at.again < t->at.looks &&
         !t->stopped) {
    const size_t look = (size_t)t->at.again;

    PetscCall(return_to_look(t, look));
    for (size_t l = 1; l <= ip_network_layers(t->network); l++)
      PetscCall(
          measurement_layer(t->measurement, l, t->measure->look[look], SECOND_PASS, t->record));
    t->at.again++;
    PetscCall(pause_now(t));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode archive_looks(training *t, const ip_archive *archive)
{
  const ip_snapshot *snapshot = measurement_snapshot(t->measurement);
  const size_t layers = ip_network_layers(t->network);

  for (size_t look = 0; look < (size_t)t->at.looks && !t->stopped; look++) {
    PetscCall(return_to_look(t, look));
    for (size_t l = 1; l <= layers; l++)
      PetscCall(archive->put(archive->context, look, l, ip_snapshot_stride(snapshot),
                             ip_snapshot_layer(snapshot, l)));
    PetscCall(pause_now(t));
  }
  return PETSC_SUCCESS;
}

/* All activations at once when the last look is over: what is cut short begins anew with the same
   weights, and no checkpoint needs to know of a file half written. */
static PetscErrorCode keep_activations(training *t)
{
  const ip_archive *archive = t->company ? t->company->archive : NULL;
  const ip_archived what = {.plan = t->plan,
                            .run = t->record->run,
                            .n_looks = (size_t)t->at.looks,
                            .data = t->data,
                            .y = t->y,
                            .split = t->split};

  if (!archive || !t->measure->activations || t->at.looks == 0 || t->stopped)
    return PETSC_SUCCESS;
  PetscCall(stage_begin("store"));
  PetscCall(archive->begin(archive->context, &what));

  const PetscErrorCode code = archive_looks(t, archive),
                       ended = archive->end(archive->context, !code && !t->stopped);

  PetscCall(code);
  PetscCall(ended);
  return stage_end();
}

/* ---- from first to last epoch ------------------------------------------------------------------ */

static PetscErrorCode train_epoch(training *t, bool *finite)
{
  PetscCall(stage_begin("train"));

  const PetscErrorCode code = ip_trainer_epoch(t->trainer, (uint64_t)t->at.epoch, finite);

  PetscCall(stage_end());
  PetscCall(code);
  t->at.epoch++;
  return *finite ? pause_now(t) : PETSC_SUCCESS;
}

static bool look_is_due(const training *t)
{
  const size_t look = (size_t)t->at.looks;

  return look < t->measure->n_looks && t->plan->epoch[t->measure->look[look]] == t->at.epoch;
}

static PetscErrorCode all_epochs(training *t)
{
  bool finite = true;

  while (!t->at.trained && !t->stopped) {
    if (look_is_due(t)) PetscCall(look_at(t, &finite));
    if (t->stopped) break;
    if (finite && t->at.epoch < t->run->epochs)
      PetscCall(train_epoch(t, &finite));
    else
      t->at.trained = true;
    t->at.finite = finite;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode conclude(training *t)
{
  if (!t->at.finite)
    ((int32_t *)t->record->array[IP_FIELD_diverged_epoch])[0] = (int32_t)t->at.epoch;
  t->record->status = t->at.finite ? IP_STATUS_DONE : IP_STATUS_DIVERGED;
  PetscCall(second_pass(t));
  PetscCall(keep_activations(t));
  return t->at.finite && !t->stopped ? transitions_find(t->plan, t->record) : PETSC_SUCCESS;
}

/* From the run's checkpoint, or from the first epoch. */
static PetscErrorCode begin(training *t)
{
  bool found = false;

  PetscCall(prepare(t));
  if (!training_was_begun(t)) return PETSC_SUCCESS;
  PetscCall(training_load(t, &found));
  if (found) return PETSC_SUCCESS;
  training_clear(t);
  ip_record_reset(t->record, t->record->run);
  return prepare(t);
}

/* ---- trained before ---------------------------------------------------------------------------- */

/* The weights of a look as the record has them; *kept = false: the run diverged before it. */
static const float *weights_of(const training *t, size_t look, bool *kept)
{
  const float *weights = (const float *)t->record->array[IP_FIELD_weights] +
                         (size_t)t->measure->look[look] * t->plan->n_parameters;

  *kept = isfinite(weights[0]);
  return weights;
}

static PetscErrorCode look_again(training *t, const float saved[])
{
  const size_t look = (size_t)t->at.looks, n = ip_network_n_parameters(t->network);
  float *weights = ip_network_parameters(t->network);

  for (size_t i = 0; i < n; i++) weights[i] = saved[i];
  t->at.epoch = t->plan->epoch[t->measure->look[look]];
  keep_weights(t, look);
  PetscCall(call_assistants(t));
  PetscCall(stage_begin("look"));
  const PetscErrorCode code = measurement_snapshot_take(t->measurement);

  PetscCall(stage_end());
  PetscCall(code);
  return measure_layers(t, look);
}

/* Every look from its weights; all that does not depend on columns is there. */
static PetscErrorCode measure_again(training *t)
{
  const ip_trained *trained = t->company->trained;
  bool kept = true;

  PetscCall(prepare(t));
  PetscCall(trained->get(trained->context, t->record));
  t->at.finite = t->record->status == IP_STATUS_DONE;
  while ((size_t)t->at.looks < t->measure->n_looks && kept && !t->stopped) {
    const float *weights = weights_of(t, (size_t)t->at.looks, &kept);

    if (kept) PetscCall(look_again(t, weights));
  }
  IP_CHECK(kept || !t->at.finite, IP_ERR_INTERNAL,
           "run %d is done, but kept no weights of look %d", (int)t->run->number,
           (int)t->at.looks);
  if (!t->at.finite) t->at.epoch = ((int32_t *)t->record->array[IP_FIELD_diverged_epoch])[0];
  return t->stopped ? PETSC_SUCCESS : conclude(t);
}

static PetscErrorCode train(training *t)
{
  if (t->company && t->company->trained) return measure_again(t);
  PetscCall(begin(t));
  PetscCall(all_epochs(t));
  return t->stopped ? PETSC_SUCCESS : conclude(t);
}

PetscErrorCode ip_run_train(const ip_plan *plan, size_t run, const ip_company *company,
                            ip_record *record, bool *stopped)
{
  training t = {.plan = plan,
                .run = &plan->run[run],
                .measure = &plan->measure[plan->run[run].measure],
                .data = plan->data->set[plan->run[run].data],
                .company = company,
                .record = record};

  ip_record_reset(record, run);
  t.begun = t.saved = training_clock();

  const uint64_t denormals = ip_denormals_flush();
  PetscErrorCode code = train(&t);
  const PetscErrorCode dismissed = dismiss_assistants(&t, false);

  ip_denormals_restore(denormals);
  if (!code) code = dismissed;
  training_clear(&t);
  PetscCall(code);
  record->seconds = t.at.seconds + training_clock() - t.begun;
  *stopped = t.stopped;
  return PETSC_SUCCESS;
}
