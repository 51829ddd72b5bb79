#include "lanes_width.h"
#include <infoplane/lanes.h>

static void exp_of(const float x[], float e[])
{
  ip_store_lanes(e, ip_exp_lanes(ip_load(x)));
}

static float sum(const float x[])
{
  return ip_sum_lanes(ip_load(x));
}

static void sums(const float x[], float sum_of[])
{
  ip_sum_sixteen(x, sum_of);
}

static void entries(const float table[], const int index[], float entry[])
{
  const ip_register_int *at = (const ip_register_int *)(const void *)index;
  ip_lanes e;

  IP_EACH(i) e.r[i] = ip_entry(table, at[i]);
  ip_store_lanes(entry, e);
}

static void smaller(const float a[], const float b[], float c[])
{
  ip_lanes s;

  IP_EACH(i) s.r[i] = ip_smaller(ip_load(a).r[i], ip_load(b).r[i]);
  ip_store_lanes(c, s);
}

static void larger(const float a[], const float b[], float c[])
{
  ip_lanes l;

  IP_EACH(i) l.r[i] = ip_larger(ip_load(a).r[i], ip_load(b).r[i]);
  ip_store_lanes(c, l);
}

static void where_from(const float x[], const float y[], float c[])
{
  const ip_lanes one = ip_all(1.0F), two = ip_all(2.0F);
  ip_lanes w;

  IP_EACH(i) w.r[i] = ip_where_from(ip_load(x).r[i], ip_load(y).r[i], one.r[i], two.r[i]);
  ip_store_lanes(c, w);
}

const lanes_width IP_OF_WIDTH(lanes_width) = {.exp = exp_of,
                                              .sum = sum,
                                              .sums = sums,
                                              .entries = entries,
                                              .smaller = smaller,
                                              .larger = larger,
                                              .where_from = where_from};
