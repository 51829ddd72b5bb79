/* What the line says of the time left. */

#include "check.h"
#include "cli.h"
#include <stdlib.h>

/* The line, an hour after training began. */
static char *line_of(const ip_progress *seen)
{
  char *text = NULL, stop_file[] = "/nothing/stop";
  size_t length = 0;
  bool stop = true;
  FILE *to = open_memstream(&text, &length);
  progress p = {.to = to, .noun = "run", .stop_file = stop_file, .n = 3};

  assert_non_null(to);
  p.started = p.trained = seconds_now() - 3600.0;
  p.shown = p.trained - 1e3;
  OK(progress_watch(&p, seen, &stop));
  assert_false(stop);
  fclose(to);
  return text;
}

static void says(const ip_progress *seen, const char *want)
{
  char *text = line_of(seen);

  if (!strstr(text, want)) fail_msg("wanted \"%s\" in \"%s\"", want, text);
  free(text);
}

/* One run of three is done, and with it a quarter of the work, in an hour: three more hours, though
   two thirds of the runs are left.  Twice the seconds that were predicted change nothing. */
static void time_left_goes_by_work(void **state)
{
  (void)state;
  says(&(ip_progress){.runs = 3, .done = 1, .work = 8.0, .work_done = 2.0},
       "1/3 runs   60 m   ETA 3 h 00 m");
  says(&(ip_progress){.runs = 3, .done = 1, .work = 16.0, .work_done = 4.0}, "ETA 3 h 00 m");
  says(&(ip_progress){.runs = 3, .done = 2, .work = 8.0, .work_done = 6.0}, "ETA 20 m");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(time_left_goes_by_work),
  };

  return RUN_TESTS(tests);
}
