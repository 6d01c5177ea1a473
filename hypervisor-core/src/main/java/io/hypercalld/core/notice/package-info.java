/**
 * What happens in a machine, told to whoever watches it. Depends on nothing; no command depends on
 * it, so that it is no part of the machine's digest.
 */
@NullMarked
package io.hypercalld.core.notice;

import org.jspecify.annotations.NullMarked;
