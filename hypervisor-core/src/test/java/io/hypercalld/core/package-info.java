@NullMarked
package io.hypercalld.core;

import org.jspecify.annotations.NullMarked;
