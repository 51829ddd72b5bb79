/* What a run in progress consists of, as pieces of memory: saved and put back by one list.

   A run that is taken up gives the same bits as one never stopped, since nothing else has a past:
   random numbers are keyed by epoch and step, and a look depends on its weights alone. */

#include "training.h"
#include <time.h>

enum { PIECES = 4 + IP_FIELDS + MEASUREMENT_PIECES };

double training_clock(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* All of it, in an order that the plan decides. */
static size_t list_pieces(training *t, ip_piece piece[PIECES])
{
  const size_t parameters = ip_network_n_parameters(t->network) * sizeof(float);
  size_t n = 0, state = 0;
  float *moments = ip_trainer_state(t->trainer, &state);

  piece[n++] = (ip_piece){&t->at, sizeof t->at};
  piece[n++] = (ip_piece){ip_network_parameters(t->network), parameters};
  piece[n++] = (ip_piece){moments, state * sizeof(float)};
  if (t->kept) piece[n++] = (ip_piece){t->kept, t->measure->n_looks * parameters};
  n += measurement_pieces(t->measurement, &piece[n]);
  for (size_t f = 0; f < IP_FIELDS; f++)
    piece[n++] = (ip_piece){t->record->array[f], ip_field_length(t->plan, f) *
                                                     ip_number_size(ip_field_row(f)->type)};
  return n;
}

size_t ip_checkpoint_bytes(const ip_plan *plan)
{
  enum { MOMENTS = 2, PAD = 16 };
  size_t record = 0, most = 0;

  for (size_t f = 0; f < IP_FIELDS; f++)
    record += ip_field_length(plan, f) * ip_number_size(ip_field_row(f)->type);
  for (size_t r = 0; r < plan->n_runs; r++) {
    const size_t parameters = ip_run_parameters(plan, r) * sizeof(float),
                 padding = MOMENTS * PAD * sizeof(float),
                 looks = plan->measure[plan->run[r].measure].n_looks;
    const size_t bytes = (1 + MOMENTS + looks) * parameters + padding;

    if (bytes > most) most = bytes;
  }
  return sizeof(place) + record + most +
         MEASUREMENT_PIECES * (plan->n_layers + 1) * sizeof(double);
}

PetscErrorCode training_save(training *t, double share)
{
  const ip_keeper *keeper = t->company->keeper;
  const double before = t->at.seconds, now = training_clock();
  ip_piece piece[PIECES];

  t->at.updates = ip_trainer_updates(t->trainer);
  t->at.seconds += now - t->begun;

  const ip_checkpoint checkpoint = {
      .run = t->record->run, .share = share, .n = list_pieces(t, piece), .piece = piece};
  const PetscErrorCode code = keeper->save(keeper->context, &checkpoint);

  t->at.seconds = before;
  t->saved = now;
  return code;
}

bool training_was_begun(const training *t)
{
  const ip_keeper *keeper = t->company ? t->company->keeper : NULL;

  return keeper && keeper->share(keeper->context, t->record->run) > 0.0;
}

PetscErrorCode training_load(training *t, bool *found)
{
  const ip_keeper *keeper = t->company->keeper;
  ip_piece piece[PIECES];
  const ip_checkpoint checkpoint = {
      .run = t->record->run, .n = list_pieces(t, piece), .piece = piece};

  PetscCall(keeper->load(keeper->context, &checkpoint, found));
  if (*found) ip_trainer_set_updates(t->trainer, t->at.updates);
  return PETSC_SUCCESS;
}
