/* Which instructions the vector kernels may use. */

#include <infoplane/numerics.h>
#include <stdlib.h>
#include <string.h>

static const char *const name[IP_ISAS] = {"baseline", "avx2", "avx512"};

const char *ip_isa_name(size_t isa)
{
  return isa < IP_ISAS ? name[isa] : NULL;
}

static ip_isa of_processor(void)
{
#if defined __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return IP_ISA_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return IP_ISA_AVX2;
#endif
  return IP_ISA_BASELINE;
}

ip_isa ip_isa_best(void)
{
  const char *limit = getenv("INFOPLANE_ISA");
  const ip_isa best = of_processor();
  const int wanted = limit ? ip_names_find(ip_isa_name, limit) : -1;

  return wanted >= 0 && wanted < (int)best ? (ip_isa)wanted : best;
}
