#pragma once

/** @file
 *  A study from a text, for tests.
 */

#include "check.h"
#include <infoplane/study.h>

typedef struct {
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
} study;

static inline study study_of(const char *yaml)
{
  study s = {0};

  OK(ip_options_read("test.yaml", yaml, strlen(yaml), 0, NULL, &s.options));
  OK(ip_data_create(s.options, &s.data));
  OK(ip_data_load(s.data));
  OK(ip_plan_create(s.options, s.data, &s.plan));
  return s;
}

static inline void study_clear(study *s)
{
  ip_plan_destroy(&s->plan);
  ip_data_destroy(&s->data);
  ip_options_destroy(&s->options);
}
