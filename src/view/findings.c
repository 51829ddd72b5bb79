/* The list of findings: it grows, is completed and put into order. */

#include "claims.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode grow(findings *all)
{
  const size_t room = all->room > 0 ? 2 * all->room : 64;
  finding *larger = NULL;

  PetscCall(IP_ALLOCATE(room, &larger));
  if (all->n > 0) memcpy(larger, all->finding, all->n * sizeof *larger);
  ip_release(&all->finding);
  all->finding = larger;
  all->room = room;
  return PETSC_SUCCESS;
}

PetscErrorCode claims_add(findings *all, finding **added)
{
  if (all->n == all->room) PetscCall(grow(all));
  finding *f = &all->finding[all->n++];

  *f = (finding){
      .column = SWEEP_NONE,
      .other = SWEEP_NONE,
      .effect = {.value = NAN, .low = NAN, .high = NAN},
      .verdict = NOT_TESTED
  };
  *added = f;
  return PETSC_SUCCESS;
}

/* By claim, study, groups, columns. */
static int by_place(const void *a, const void *b)
{
  const finding *x = a, *y = b;

  if (x->claim != y->claim) return x->claim < y->claim ? -1 : 1;
  if (x->study != y->study) return x->study < y->study ? -1 : 1;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  if (x->b != y->b) return x->b < y->b ? -1 : 1;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  return (x->other > y->other) - (x->other < y->other);
}

PetscErrorCode claims_complete(findings *all)
{
  const size_t tested = all->n;

  for (size_t i = 0; claim_row(i); i++) {
    const char *lacks = claim_row(i)->lacks;
    finding *f = NULL;
    bool found = false;

    for (size_t k = 0; k < tested; k++) found = found || all->finding[k].claim == i;
    if (found) continue;
    PetscCall(claims_add(all, &f));
    f->claim = i;
    PetscCall(ip_text_add(&f->note, "%s", lacks ? lacks : "no finished run"));
  }
  qsort(all->finding, all->n, sizeof *all->finding, by_place);
  return PETSC_SUCCESS;
}

void claims_clear(findings *all)
{
  for (size_t i = 0; i < all->n; i++) {
    ip_text_clear(&all->finding[i].setting);
    ip_text_clear(&all->finding[i].compared);
    ip_text_clear(&all->finding[i].note);
  }
  ip_release(&all->finding);
  *all = (findings){0};
}
