/* Numbers for keys: the different ones counted in order of appearance. */

#include <infoplane/numerics.h>
#include <string.h>
#include <xxhash.h>

static const uint32_t nobody = UINT32_MAX;

PetscErrorCode ip_keys_number(size_t n, const void *const key[], size_t width, uint32_t id[],
                              size_t *different)
{
  size_t slots = 16;
  uint32_t *first, found = 0; /* slot -> first place with that key */

  IP_CHECK(n < nobody, IP_ERR_INTERNAL, "%zu keys are more than can be numbered", n);
  while (slots < 2 * n) slots *= 2;
  PetscCall(IP_ALLOCATE(slots, &first));
  memset(first, 0xff, slots * sizeof *first);
  for (size_t i = 0; i < n; i++) {
    size_t slot = (size_t)XXH3_64bits(key[i], width) & (slots - 1);

    while (first[slot] != nobody && memcmp(key[first[slot]], key[i], width) != 0)
      slot = (slot + 1) & (slots - 1);
    if (first[slot] == nobody) {
      first[slot] = (uint32_t)i;
      id[i] = found++;
    } else
      id[i] = id[first[slot]];
  }
  ip_release(&first);
  *different = found;
  return PETSC_SUCCESS;
}
