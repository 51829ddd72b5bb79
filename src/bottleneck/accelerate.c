/* Fixed point by PETSc's SNES: F(u) = u - G(u) = 0 with Anderson mixing.

   The unknown is u_ty = sqrt p(t,y), a point on the unit sphere of m k dimensions: whatever the
   mixing extrapolates to, its squares divided by their sum are a distribution again; a cluster
   that dies does so smoothly, and what has little mass weighs little in the norm.

   SNES reads its options with the prefix bottleneck_: -bottleneck_snes_monitor,
   -bottleneck_snes_type.

   Source: Anderson, J. ACM 12 (1965) 547; Brune, Knepley, Smith and Tu, SIAM Review 57 (2015)
   535 (SNESANDERSON). */

#include "clusters.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <petscsnes.h>
#include <string.h>

static const double least_defect = 1e-13, /* norm of F                  */
    rounding = 1e-13,                     /* of the objective, relative */
    unlimited = -1.0; /* it may grow on the way: the judgement comes afterwards */

enum { MOST_STEPS = 100, MOST_EVALUATIONS = 2000 };

/* c->trial = u^2 / sum u^2; false where that is no distribution. */
static bool square(clusters *c, const PetscScalar u[])
{
  const size_t length = c->m * (size_t)c->joint->k;
  double whole;

  for (size_t i = 0; i < length; i++) c->trial[i] = u[i] * u[i];
  whole = ip_sum(length, c->trial);
  for (size_t i = 0; i < length; i++) c->trial[i] /= whole;
  return whole > 0.0 && isfinite(whole);
}

/* F(u), where G keeps the signs of u: smooth through 0. */
static PetscErrorCode defect(SNES snes, Vec u, Vec f, void *context)
{
  clusters *c = context;
  const size_t length = c->m * (size_t)c->joint->k;
  const PetscScalar *from;
  PetscScalar *to;

  PetscCall(VecGetArrayRead(u, &from));
  PetscCall(VecGetArrayWrite(f, &to));
  if (square(c, from)) {
    ip_clusters_evaluate(c, c->trial);
    for (size_t i = 0; i < length; i++) to[i] = from[i] - copysign(sqrt(c->next[i]), from[i]);
  } else {
    memset(to, 0, length * sizeof *to);
    PetscCall(SNESSetFunctionDomainError(snes));
  }
  PetscCall(VecRestoreArrayWrite(f, &to));
  return VecRestoreArrayRead(u, &from);
}

static PetscErrorCode solve(SNES snes, Vec u, Vec f, clusters *c)
{
  const size_t length = c->m * (size_t)c->joint->k;
  PetscScalar *value;

  PetscCall(VecGetArrayWrite(u, &value));
  for (size_t i = 0; i < length; i++) value[i] = sqrt(c->p_ty[i]);
  PetscCall(VecRestoreArrayWrite(u, &value));
  PetscCall(SNESSetOptionsPrefix(snes, "bottleneck_"));
  PetscCall(SNESSetType(snes, SNESANDERSON));
  PetscCall(SNESSetTolerances(snes, least_defect, 0.0, 0.0, MOST_STEPS, MOST_EVALUATIONS));
  PetscCall(SNESSetDivergenceTolerance(snes, unlimited));
  PetscCall(SNESSetFunction(snes, f, defect, c));
  PetscCall(SNESSetFromOptions(snes));
  return SNESSolve(snes, NULL, u);
}

/* Take u for the state if it is one, and no worse. */
static PetscErrorCode judge(clusters *c, Vec u)
{
  const PetscScalar *value;
  double before, after;

  ip_clusters_evaluate(c, c->p_ty);
  before = ip_clusters_objective(c);
  PetscCall(VecGetArrayRead(u, &value));

  const bool valid = square(c, value);

  PetscCall(VecRestoreArrayRead(u, &value));
  if (!valid) return PETSC_SUCCESS;
  ip_clusters_evaluate(c, c->trial);
  after = ip_clusters_objective(c);
  if (after <= before + rounding * (1.0 + fabs(before)))
    memcpy(c->p_ty, c->trial, c->m * (size_t)c->joint->k * sizeof *c->p_ty);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_clusters_accelerate(clusters *c)
{
  const PetscInt length = (PetscInt)(c->m * (size_t)c->joint->k);
  SNES snes = NULL;
  Vec u = NULL, f = NULL;

  PetscErrorCode code = SNESCreate(PETSC_COMM_SELF, &snes);

  if (!code) code = VecCreateSeq(PETSC_COMM_SELF, length, &u);
  if (!code) code = VecDuplicate(u, &f);
  if (!code) code = solve(snes, u, f, c);
  if (!code) code = judge(c, u);
  c->stale = true;
  PetscCall(code); /* what PETSc left half made stays: destroying it crashes */
  PetscCall(VecDestroy(&f));
  PetscCall(VecDestroy(&u));
  return SNESDestroy(&snes);
}
