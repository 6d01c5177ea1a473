@NullMarked
package io.hypercalld.core.memory;

import org.jspecify.annotations.NullMarked;
