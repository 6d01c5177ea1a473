/**
 * The machine's memory: its bytes, who owns each frame, and which frames are free.
 *
 * <p>A machine address ({@code maddr}) is a byte offset into {@link
 * io.hypercalld.core.memory.MachineMemory}; a frame number ({@link io.hypercalld.core.memory.Mfn})
 * is that address shifted right by 12. Everything here costs host memory only for frames in use.
 *
 * <p>Depends on {@code core.bits}, {@code core.digest} and {@code core.errno}. Invariant: a free
 * frame holds zeros, unless something wrote to it by machine address.
 */
@NullMarked
package io.hypercalld.core.memory;

import org.jspecify.annotations.NullMarked;
