/**
 * How the daemon is started: options from the command line, the environment and a file.
 *
 * <p>A {@link io.hypercalld.api.cli.Setting} is named once and has the same meaning in all three;
 * the first source that has it wins, in that order. Whatever is not understood stops the start with
 * one line that names it.
 */
@NullMarked
package io.hypercalld.api.cli;

import org.jspecify.annotations.NullMarked;
