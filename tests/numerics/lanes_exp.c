/* e^x of sixteen lanes, compiled once for each vector width as kernels are. */

#include <infoplane/lanes.h>

#define JOIN2(a, b) a##_##b
#define JOIN(a, b)  JOIN2(a, b)

void JOIN(lanes_exp, IP_ISA_SUFFIX)(const float x[IP_LANES], float e[IP_LANES]);
float JOIN(lanes_sum, IP_ISA_SUFFIX)(const float x[IP_LANES]);

void JOIN(lanes_exp, IP_ISA_SUFFIX)(const float x[IP_LANES], float e[IP_LANES])
{
  ip_store_lanes(e, ip_exp_lanes(ip_load(x)));
}

float JOIN(lanes_sum, IP_ISA_SUFFIX)(const float x[IP_LANES])
{
  return ip_sum_lanes(ip_load(x));
}
