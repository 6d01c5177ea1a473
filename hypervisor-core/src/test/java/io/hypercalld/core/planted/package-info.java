/** Classes that break the rules of the house on purpose: the tests want them noticed. */
@NullMarked
package io.hypercalld.core.planted;

import org.jspecify.annotations.NullMarked;
