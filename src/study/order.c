/* In which order runs are handed out. */

#include "order.h"
#include <stdlib.h>

typedef struct {
  double cost; /* what is left of it */
  int32_t run;
  bool begun;
} priced;

static int begun_and_longest_first(const void *a, const void *b)
{
  const priced *x = a, *y = b;

  if (x->begun != y->begun) return x->begun ? -1 : 1;
  if (x->cost != y->cost) return x->cost < y->cost ? 1 : -1;
  return (x->run > y->run) - (x->run < y->run);
}

PetscErrorCode order_runs(const ip_plan *plan, const double done[], size_t n,
                          const int32_t todo[], int32_t order[])
{
  priced *p = NULL;

  PetscCall(IP_ALLOCATE(n, &p));
  for (size_t i = 0; i < n; i++) {
    const int32_t run = todo ? todo[i] : (int32_t)i;
    const double share = done ? done[run] : 0.0;

    p[i] =
        (priced){.cost = (1.0 - share) * plan->run[run].cost, .run = run, .begun = share > 0.0};
  }
  if (n > 1) qsort(p, n, sizeof *p, begun_and_longest_first);
  for (size_t i = 0; i < n; i++) order[i] = p[i].run;
  ip_release(&p);
  return PETSC_SUCCESS;
}
