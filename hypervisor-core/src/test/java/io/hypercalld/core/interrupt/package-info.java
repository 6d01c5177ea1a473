@NullMarked
package io.hypercalld.core.interrupt;

import org.jspecify.annotations.NullMarked;
