/* Signals that ask to stop: the handler leaves a note, which is looked at between epochs. */

#include "cli.h"
#include <signal.h>

static volatile sig_atomic_t noted;

static void note(int number)
{
  noted = number;
}

void signals_catch(void)
{
  static const int caught[] = {SIGUSR1, SIGTERM, SIGINT};
  struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
    sigaction(caught[i], &action, NULL);
}

int signals_noted(void)
{
  return noted;
}
