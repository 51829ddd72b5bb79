/* Stages of PETSc's log. */

#include "stage.h"
#include <infoplane/estimator.h>
#include <petscsys.h>

/* PETSc keeps 0.2 MB for a stage: none is made where nobody asked for the log. */
static bool logging(void)
{
  PetscBool initialized = PETSC_FALSE, active = PETSC_FALSE;

  return PetscInitialized(&initialized) == PETSC_SUCCESS && initialized &&
         PetscLogIsActive(&active) == PETSC_SUCCESS && active;
}

static PetscErrorCode find(const char *name, PetscLogStage *stage)
{
  PetscCall(PetscLogStageGetId(name, stage));
  return *stage < 0 ? PetscLogStageRegister(name, stage) : PETSC_SUCCESS;
}

PetscErrorCode stage_register(void)
{
  PetscLogStage stage;

  if (!logging()) return PETSC_SUCCESS;
  PetscCall(find("train", &stage));
  PetscCall(find("look", &stage));
  PetscCall(find("read", &stage));
  for (size_t i = 0; ip_estimator_name(i); i++) PetscCall(find(ip_estimator_name(i), &stage));
  return find("store", &stage);
}

PetscErrorCode stage_unwind(void)
{
  PetscStageLog log;
  int stage = 0;

  if (!logging()) return PETSC_SUCCESS;
  PetscCall(PetscLogGetStageLog(&log));
  PetscCall(PetscStageLogGetCurrent(log, &stage));
  while (stage > 0) { /* 0: the main stage */
    PetscCall(PetscLogStagePop());
    PetscCall(PetscStageLogGetCurrent(log, &stage));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode stage_begin(const char *name)
{
  PetscLogStage stage;

  if (!logging()) return PETSC_SUCCESS;
  PetscCall(find(name, &stage));
  return PetscLogStagePush(stage);
}

PetscErrorCode stage_end(void)
{
  if (!logging()) return PETSC_SUCCESS;
  return PetscLogStagePop();
}
