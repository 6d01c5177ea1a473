package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.WordProgression;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in large extents, beside the least work that leaves the same
 * behind. Times are those of all 4 GiB; giving the memory back is not timed.
 *
 * <p>The least work is what the call's contract forces on anybody, as straight calls of what the
 * call uses too:
 *
 * <ul>
 *   <li>for each extent, the lowest free block is found and taken out of the free ones; the record
 *       of its frames gets owner, use and reference, and then the guest frame; its entry is read,
 *       as it could be taken, and stored;
 *   <li>where the guest frames have no tables yet, those that the entries lie in are made: 512
 *       words each, in frames that nobody has touched since they were scrubbed;
 *   <li>where tables are in the way, each is looked through, as any of its 512 entries could map
 *       something, and zeroed, as the pool's pages are; they are as many and lie as far apart as in
 *       the guest.
 * </ul>
 */
@State(Scope.Thread)
public class PopulateSuperpageBenchmark {
  private static final int FAN_OUT = 1 << PageSize.SIZE_2M.order();
  private static final long ENTRY = 0x8000_0000_0000_00b7L;
  private static final long NOTHING = 1L << 63;
  private static final byte[] ZEROS = new byte[PageSize.BYTES_4K];

  private final EmptyGuest guest = new EmptyGuest();
  private long[] blocks = {};
  private long[] made = {};
  private long[] replaced = {};
  private GuestFrames frames = GuestFrames.of();

  @Param({"SIZE_2M", "SIZE_1G"})
  PageSize size = PageSize.SIZE_2M;

  /** Whether the guest frames were mapped page by page before, so that each extent frees tables. */
  @Param({"false", "true"})
  boolean replacesTables;

  @Setup(Level.Trial)
  public void list() {
    frames = EmptyGuest.extents(size.order());
    if (replacesTables) {
      replaced = new long[EmptyGuest.PAGES / FAN_OUT];
      Arrays.setAll(replaced, _ -> table());
    }
  }

  /** Pages, so that there are tables to be replaced. */
  @Setup(Level.Invocation)
  public void makeTables() {
    if (replacesTables) {
      guest.populate(0, EmptyGuest.extents(0));
      guest.release();
      for (long table : replaced) {
        fill(table);
      }
    }
  }

  @TearDown(Level.Invocation)
  public void empty() {
    for (long block : blocks) {
      guest.allocator().free(block, size);
    }
    for (long table : made) {
      guest.allocator().free(table);
    }
    blocks = new long[] {};
    made = new long[] {};
    if (replacesTables) {
      guest.release();
    } else {
      guest.renew();
    }
  }

  @TearDown(Level.Trial)
  public void close() {
    guest.close();
  }

  @Benchmark
  public long leastWork() {
    FrameAllocator allocator = guest.allocator();
    int count = EmptyGuest.PAGES >> size.order();
    makeTables(1 + (count - 1) / FAN_OUT);
    blocks = new long[count];
    long found = 0;
    for (int i = 0; i < count; i++) {
      long block = allocator.allocate(size, 1, FrameUse.GUEST_RAM);
      allocator.frames().setM2p(block, size.order(), (long) i << size.order());
      long at = made[i / FAN_OUT] * PageSize.BYTES_4K + (long) (i % FAN_OUT) * Long.BYTES;
      found |= allocator.memory().readWord(at);
      allocator.memory().writeWord(at, ENTRY | (block << PageSize.SHIFT_4K));
      blocks[i] = block;
    }
    return found | replaceTables();
  }

  /** Those that entries of the size lie in, and for entries of 2 MiB the one above them. */
  private void makeTables(int lowest) {
    made = new long[size == PageSize.SIZE_2M ? lowest + 1 : lowest];
    for (int i = 0; i < made.length; i++) {
      made[i] = table();
      fill(made[i]);
    }
  }

  private long table() {
    return guest.allocator().allocate(PageSize.SIZE_4K, 1, FrameUse.P2M_TABLE);
  }

  private void fill(long table) {
    MachineMemory memory = guest.allocator().memory();
    memory.fillWords(new Mfn(table).maddr(), FAN_OUT, new WordProgression(NOTHING, 0));
  }

  private long replaceTables() {
    MachineMemory memory = guest.allocator().memory();
    long mapping = 0;
    for (long table : replaced) {
      mapping += memory.areAll(new Mfn(table).maddr(), FAN_OUT, NOTHING) ? 0 : 1;
      memory.write(new Mfn(table).maddr(), ZEROS, 0, ZEROS.length);
    }
    return mapping;
  }

  @Benchmark
  public long extents() {
    return guest.populate(size.order(), frames);
  }
}
