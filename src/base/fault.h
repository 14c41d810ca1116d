/* Points at which a test lets the program die, to see that nothing is lost there.
 *
 * PINWATCH_FAULT=name:count ends the process, as if by SIGKILL, the count-th time that it comes to
 * the point of that name. Without it a point is one comparison. Set up once, by main's command,
 * before any thread.
 */
#ifndef PINWATCH_BASE_FAULT_H
#define PINWATCH_BASE_FAULT_H

/* spec: the variable's value, or NULL. */
void fault_setup(const char *spec);
void fault_point(const char *name);

#endif
