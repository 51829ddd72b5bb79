/* A run whose activations are given: what training would have shown is not there, all that is said of
   the layers is, by the same code and to the same bits.

   A part is one look.  One layer of it is in memory at a time. */

#include "given.h"
#include "stage.h"
#include "training.h"
#include "transition.h"

struct given {
  const ip_plan *plan;
  const ip_run *run;
  const ip_dataset *data;
  ip_activations *activations;
  measurement *measurement;
  size_t stride;
  float *t;    /* shape (units of the widest layer, stride) */
  bool finite; /* the layer that was read last              */
};

static PetscErrorCode fill(given *g)
{
  int32_t widest = 1;

  for (size_t l = 0; l < g->activations->n_layers; l++)
    if (g->activations->width[l] > widest) widest = g->activations->width[l];
  g->stride = (g->data->n + 15) / 16 * 16;
  PetscCall(IP_ALLOCATE((size_t)widest * g->stride, &g->t));
  return measurement_create(g->plan, g->run, g->data->y, &g->activations->split, NULL,
                            &g->measurement);
}

/* The file that this rank opened is the one that the plan was made of. */
static PetscErrorCode check(const given *g)
{
  const ip_architecture *a = &g->plan->architecture[g->run->architecture];
  bool same = g->activations->n == g->data->n && g->activations->n_layers == a->layers &&
              g->activations->n_epochs == g->plan->n_epochs;

  for (size_t l = 0; same && l < a->layers; l++)
    same = g->activations->width[l] == a->width[l + 1];
  IP_CHECK(same, IP_ERR_DATA, "%s: the activations have another shape on this host",
           g->plan->data->label[g->run->data]);
  return PETSC_SUCCESS;
}

PetscErrorCode given_create(const ip_plan *plan, ip_activations *activations, given **result)
{
  given *g = NULL;

  PetscCall(IP_ALLOCATE(1, &g));
  *g = (given){.plan = plan,
               .run = &plan->run[0],
               .data = plan->data->set[plan->run[0].data],
               .activations = activations};
  PetscErrorCode code = check(g);

  if (!code) code = fill(g);
  if (code)
    given_destroy(&g);
  else
    *result = g;
  return code;
}

void given_destroy(given **result)
{
  if (!*result) return;
  measurement_destroy(&(*result)->measurement);
  ip_release(&(*result)->t);
  ip_release(result);
}

static PetscErrorCode read_layer(given *g, size_t look, size_t layer)
{
  PetscCall(stage_begin("read"));

  const PetscErrorCode code =
      ip_activations_read(g->activations, look, layer, g->stride, g->t, &g->finite);

  PetscCall(stage_end());
  measurement_lend(g->measurement, g->stride, g->t);
  return code;
}

/* ---- the range over the run ---------------------------------------------------------------------- */

bool given_has_range(const given *g)
{
  return measurement_has_second_pass(g->measurement);
}

PetscErrorCode given_learn(given *g, size_t look)
{
  for (size_t l = 1; l <= g->activations->n_layers; l++) {
    PetscCall(read_layer(g, look, l));
    if (g->finite) measurement_learn(g->measurement, l);
  }
  return PETSC_SUCCESS;
}

size_t given_range(given *g, ip_piece piece[])
{
  return measurement_pieces(g->measurement, piece);
}

/* ---- parts ------------------------------------------------------------------------------------------ */

static PetscErrorCode measure_layer(given *g, size_t look, size_t layer, ip_record *record)
{
  const int32_t e = (int32_t)look;

  PetscCall(read_layer(g, look, layer));
  if (!g->finite) return PETSC_SUCCESS;
  PetscCall(measurement_layer(g->measurement, layer, e, FIRST_PASS, record));
  return given_has_range(g) ? measurement_layer(g->measurement, layer, e, SECOND_PASS, record)
                            : PETSC_SUCCESS;
}

PetscErrorCode given_look(given *g, size_t row, const ip_company *company, ip_record *record,
                          bool *stopped)
{
  const size_t layers = g->activations->n_layers;
  const double began = training_clock();
  bool finite = true;

  ip_record_reset(record, row);
  for (size_t l = 1; l <= layers && finite && !*stopped; l++) {
    PetscCall(measure_layer(g, row, l, record));
    finite = g->finite;
    if (company->pause)
      PetscCall(company->pause(company->context, (double)l / (double)layers, stopped));
  }
  if (!finite) ip_record_reset(record, row); /* a look at what is no network any more */
  record->seconds = training_clock() - began;
  record->status = finite ? IP_STATUS_DONE : IP_STATUS_DIVERGED;
  return PETSC_SUCCESS;
}

/* The best betas are those of the last look, which is measured once more: to the same bits. */
static PetscErrorCode explain_last_look(given *g, ip_record *record)
{
  const size_t last = g->plan->n_epochs - 1;

  for (size_t e = 0; e <= last && given_has_range(g); e++) PetscCall(given_learn(g, e));
  for (size_t l = 1; l <= g->activations->n_layers; l++)
    PetscCall(measure_layer(g, last, l, record));
  return PETSC_SUCCESS;
}

/* What is said of a run that did not diverge. */
static PetscErrorCode conclude_whole(given *g, ip_record *record)
{
  if (g->data->p) PetscCall(explain_last_look(g, record));
  return transitions_find(g->plan, record);
}

PetscErrorCode ip_given_conclude(const ip_plan *plan, ip_activations *activations,
                                 int32_t diverged_epoch, ip_record *record)
{
  given *g = NULL;

  PetscCall(given_create(plan, activations, &g));
  PetscErrorCode code = measurement_entropies(g->measurement, record);

  if (!code && diverged_epoch < 0) code = conclude_whole(g, record);
  given_destroy(&g);
  PetscCall(code);
  ((int32_t *)record->array[IP_FIELD_diverged_epoch])[0] = diverged_epoch;
  record->run = plan->n_runs - 1;
  record->status = diverged_epoch < 0 ? IP_STATUS_DONE : IP_STATUS_DIVERGED;
  return PETSC_SUCCESS;
}
