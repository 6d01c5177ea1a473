/**
 * The rules of the house, as tests: what every module keeps. Each comes with classes that break it
 * on purpose.
 *
 * <p>Shared with the other modules through this module's test jar.
 */
@NullMarked
package io.hypercalld.core.house;

import org.jspecify.annotations.NullMarked;
