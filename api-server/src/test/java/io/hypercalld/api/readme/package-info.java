/**
 * Runs what README.md shows, and compares what it says with what happens.
 *
 * <p>A {@code console} block holds commands, each on a line after {@code $} (continued after a
 * backslash at the end of the line), and below each the output a terminal would show. A command
 * that shows the ready line starts the daemon and leaves it running for the commands after it. In
 * an expected output {@code ...} stands for anything: within a line, for the rest of its text;
 * alone on a line, for any number of lines.
 */
@NullMarked
package io.hypercalld.api.readme;

import org.jspecify.annotations.NullMarked;
