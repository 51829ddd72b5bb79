/* An assistant makes its own copy of a run (labels, split, network) and gets the weights of each look:
   so little is sent that a look is handed over in no time. */

#include "assist.h"
#include "stage.h"
#include "training.h"
#include <infoplane/numerics.h>
#include <string.h>

struct assistance {
  training at; /* what is measured of it, without trainer and record */
  size_t run;
  bool made; /* for this run */
};

PetscErrorCode assistance_create(const ip_plan *plan, assistance **result)
{
  PetscCall(IP_ALLOCATE(1, result));
  (*result)->at.plan = plan;
  return PETSC_SUCCESS;
}

void assistance_destroy(assistance **result)
{
  if (!*result) return;
  training_clear(&(*result)->at);
  ip_release(result);
}

static PetscErrorCode turn_to(assistance *a, size_t run)
{
  const ip_plan *plan = a->at.plan;

  if (a->made && a->run == run) return PETSC_SUCCESS;
  training_clear(&a->at);
  a->made = false;
  a->run = run;
  a->at = (training){.plan = plan,
                     .run = &plan->run[run],
                     .measure = &plan->measure[plan->run[run].measure],
                     .data = plan->data->set[plan->run[run].data]};
  PetscCall(training_prepare(&a->at));
  a->made = true;
  return PETSC_SUCCESS;
}

static PetscErrorCode take_snapshot(assistance *a)
{
  PetscCall(stage_begin("look"));
  PetscCall(measurement_snapshot_take(a->at.measurement));
  return stage_end();
}

static PetscErrorCode measure_share(assistance *a, const ip_shared_look *look,
                                    const ip_crew *crew)
{
  PetscCall(turn_to(a, look->run));

  training *t = &a->at;

  IP_CHECK(look->n == ip_network_n_parameters(t->network), IP_ERR_INTERNAL,
           "%zu weights of a network that has %zu", look->n,
           ip_network_n_parameters(t->network));
  memcpy(ip_network_parameters(t->network), look->weights, look->n * sizeof *look->weights);
  PetscCall(take_snapshot(a));
  if (!ip_snapshot_is_finite(measurement_snapshot(t->measurement))) return PETSC_SUCCESS;
  measurement_join(t->measurement, crew);
  for (size_t l = look->first; l <= ip_network_layers(t->network); l++)
    PetscCall(measurement_assist(t->measurement, l));
  return PETSC_SUCCESS;
}

PetscErrorCode assistance_look(assistance *a, const ip_shared_look *look, const ip_crew *crew)
{
  const uint64_t denormals = ip_denormals_flush(); /* as whoever trains the run */
  const PetscErrorCode code = measure_share(a, look, crew);

  ip_denormals_restore(denormals);
  return code;
}
