package io.hypercalld.api.rest;

import io.hypercalld.api.json.Spelling;
import io.hypercalld.core.errno.Errno;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;

/**
 * The machines of the daemon, by name. Thread-safe.
 *
 * <p>Each is served under {@code /v1/machines/NAME} as the default one is at the root: {@code
 * /v1/machines/NAME/domains} is to it what {@code /v1/domains} is to that one, and the same with
 * {@code /_sim/}, {@code /metrics} and {@code /health/}. The second {@code /v1} may be there, so
 * that a client given {@code http://host/v1/machines/NAME} for its base needs to know nothing.
 */
public final class Machines implements AutoCloseable {
  /** The name of the machine that needs none. */
  public static final String DEFAULT = "default";

  /** How many there may be. */
  public static final int MOST = 1024;

  static final String VERSION = "/v1";
  static final String PATH = VERSION + "/machines";
  private static final String WITHIN = PATH + "/";
  private static final List<String> OWN_ROOTS = List.of(VERSION + "/", "/_sim/", "/health/");

  private final HostedMachine first;
  private final ConcurrentSkipListMap<String, HostedMachine> others = new ConcurrentSkipListMap<>();

  /** Only the machine that needs no name. */
  public Machines(HostedMachine first) {
    this.first = first;
  }

  /**
   * Whom a path is about.
   *
   * @param machine empty where it names one that there is not
   * @param path as the default machine has it
   */
  record Place(Optional<HostedMachine> machine, String path) {}

  /** The machine that needs no name. */
  public HostedMachine first() {
    return first;
  }

  /** All of them: the default one, then the others by name. */
  public List<HostedMachine> all() {
    List<HostedMachine> all = new java.util.ArrayList<>(others.size() + 1);
    all.add(first);
    all.addAll(others.values());
    return all;
  }

  /**
   * The machine of a name.
   *
   * @throws Failure 404 ENOENT
   */
  public HostedMachine get(String name) {
    return find(name).orElseThrow(() -> unknown(name));
  }

  private Optional<HostedMachine> find(String name) {
    return Optional.ofNullable(name.equals(DEFAULT) ? first : others.get(name));
  }

  /** What a path that names no machine fails with. */
  Failure unknownOf(String path) {
    return unknown(path.substring(WITHIN.length(), path.indexOf('/', WITHIN.length())));
  }

  private Failure unknown(String name) {
    return Failure.of(Errno.ENOENT, "there is no machine %s".formatted(name))
        .hinting(
            Spelling.nearest(name, others.keySet())
                .map("did you mean %s?"::formatted)
                .or(() -> Optional.of("GET " + PATH + " lists them")));
  }

  /**
   * Makes another one.
   *
   * @throws Failure 409 EEXIST there is one of that name; 507 ENOSPC there are 1,024 already
   */
  public HostedMachine add(String name, Supplier<HostedMachine> booting) {
    checkRoomFor(name);
    HostedMachine made = booting.get();
    try {
      synchronized (others) {
        checkRoomFor(name);
        others.put(name, made);
      }
    } catch (Failure e) {
      made.close();
      throw e;
    }
    return made;
  }

  /**
   * Finds out whether another one may be made.
   *
   * @throws Failure as {@link #add}
   */
  public void checkRoomFor(String name) {
    if (find(name).isPresent()) {
      throw Failure.of(Errno.EEXIST, "there is a machine %s already".formatted(name));
    }
    if (others.size() + 1 >= MOST) {
      throw Failure.of(Errno.ENOSPC, "there are %d machines already".formatted(MOST))
          .hinting(Optional.of("delete one that nobody needs"));
    }
  }

  /**
   * Ends one, after what it has been asked before.
   *
   * @throws Failure 404 ENOENT; 403 EPERM it is the default one
   */
  public void remove(String name) {
    var unused = removable(name);
    Optional.ofNullable(others.remove(name)).orElseThrow(() -> unknown(name)).close();
  }

  /**
   * One that may be ended.
   *
   * @throws Failure as {@link #remove}
   */
  public HostedMachine removable(String name) {
    if (name.equals(DEFAULT)) {
      throw Failure.of(Errno.EPERM, "the default machine lives as long as the daemon")
          .hinting(Optional.of("POST /_sim/reset starts it anew; SIGTERM ends the daemon"));
    }
    return get(name);
  }

  /** Finds out whom a path is about. */
  Place locate(String path) {
    if (!path.startsWith(WITHIN)) {
      return new Place(Optional.of(first), path);
    }
    int end = path.indexOf('/', WITHIN.length());
    if (end < 0) {
      return new Place(Optional.of(first), path);
    }
    String own = path.substring(end);
    String whole =
        own.equals("/metrics")
                || own.equals(VERSION)
                || OWN_ROOTS.stream().anyMatch(own::startsWith)
            ? own
            : VERSION + own;
    // A machine has no machines.
    String inner = whole.startsWith(PATH) ? path : whole;
    return new Place(find(path.substring(WITHIN.length(), end)), inner);
  }

  @Override
  public void close() {
    all().forEach(HostedMachine::close);
  }
}
