/* Whether floats are numbers: an exponent of all ones stands for infinity and NaN. */

#include <infoplane/numerics.h>
#include <string.h>

bool ip_all_finite(size_t n, const float value[])
{
  const uint32_t exponent = 0x7f800000U;
  uint32_t broken = 0;

  /* No early way out: the loop becomes vectors. */
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;

    memcpy(&bits, &value[i], sizeof bits);
    broken |= (uint32_t)((bits & exponent) == exponent);
  }
  return broken == 0;
}
