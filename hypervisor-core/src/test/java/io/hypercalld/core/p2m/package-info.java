@NullMarked
package io.hypercalld.core.p2m;

import org.jspecify.annotations.NullMarked;
