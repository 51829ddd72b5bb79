/* The table of the claims, and what several columns say together. */

#include "effects.h"

static const claim table[] = {
#define IP_CLAIM(id_, ...) {.id = #id_, __VA_ARGS__},
#include "claims.def"
#undef IP_CLAIM
};

const claim *claim_row(size_t i)
{
  return i < sizeof table / sizeof table[0] ? &table[i] : NULL;
}

/* At most m is at least -m of the opposite, but for the margin itself, which both allow. */
verdict claim_judge(const claim *c, const interval *effect)
{
  const interval opposite = {
      .n = effect->n, .value = -effect->value, .low = -effect->high, .high = -effect->low};

  return c->side == AT_LEAST ? stats_judge(effect, c->margin)
                             : stats_judge(&opposite, -c->margin);
}

size_t claims_block(const findings *all, size_t i)
{
  const finding *f = all->finding;
  size_t n = 1;

  while (i + n < all->n && f[i + n].claim == f[i].claim && f[i + n].study == f[i].study &&
         f[i + n].a == f[i].a && f[i + n].b == f[i].b)
    n++;
  return n;
}

verdict claims_common(size_t n, const finding first[], bool *depends)
{
  size_t count[NOT_TESTED + 1] = {0};

  for (size_t i = 0; i < n; i++) count[first[i].verdict]++;
  *depends = count[AGREES] > 0 && count[DISAGREES] > 0;
  if (count[NOT_TESTED] == n) return NOT_TESTED;
  if (count[AGREES] + count[NOT_TESTED] == n) return AGREES;
  return count[DISAGREES] + count[NOT_TESTED] == n ? DISAGREES : UNDECIDED;
}
