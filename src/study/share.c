/* Shares of a plan: its runs dealt like cards, the most expensive first, to and fro.

   To and fro, since who gets the dearest card of one round gets the cheapest of the next; with
   equal costs, as of replicates, every n-th run would do as well. */

#include "share.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double cost;
  size_t run;
} card;

static int dearest_first(const void *a, const void *b)
{
  const card *left = a, *right = b;

  if (left->cost != right->cost) return left->cost < right->cost ? 1 : -1;
  return (left->run > right->run) - (left->run < right->run);
}

/* mine: shape (n_runs), set for the runs that player i of n is dealt, counted from 0. */
static PetscErrorCode deal(const ip_plan *plan, size_t i, size_t n, bool mine[])
{
  card *stack = NULL;

  PetscCall(IP_ALLOCATE(plan->n_runs, &stack));
  for (size_t r = 0; r < plan->n_runs; r++) stack[r] = (card){plan->run[r].cost, r};
  qsort(stack, plan->n_runs, sizeof *stack, dearest_first);
  for (size_t c = 0; c < plan->n_runs; c++) {
    const size_t round = c / n, turn = c % n;

    if ((round % 2 == 0 ? turn : n - 1 - turn) == i) mine[stack[c].run] = true;
  }
  ip_release(&stack);
  return PETSC_SUCCESS;
}

void ip_share_name(const ip_plan *plan, char text[IP_SHARE_TEXT])
{
  const bool whole = plan->shares <= 1;

  snprintf(text, IP_SHARE_TEXT, "%zu/%zu", whole ? 1 : plan->share, whole ? 1 : plan->shares);
}

PetscErrorCode share_keep(ip_plan *plan, size_t i, size_t n)
{
  const size_t studies = plan->n_studies;
  bool *mine = NULL;
  size_t kept = 0;

  IP_CHECK(n <= plan->n_runs, IP_ERR_CONFIG,
           "share %zu/%zu: the plan has %zu run%s, so there are at most %zu shares", i, n,
           plan->n_runs, plan->n_runs == 1 ? "" : "s", plan->n_runs);
  PetscCall(IP_ALLOCATE(plan->n_runs, &mine));
  const PetscErrorCode code = deal(plan, i - 1, n, mine);

  for (size_t r = 0; r < plan->n_runs && !code; r++) {
    if (!mine[r]) continue;
    plan->run[kept] = plan->run[r];
    memmove(&plan->in_study[kept * studies], &plan->in_study[r * studies], studies);
    kept++;
  }
  ip_release(&mine);
  PetscCall(code);
  plan->n_runs = kept;
  plan->share = i;
  plan->shares = n;
  return PETSC_SUCCESS;
}
