(* bench/lang_gc.c's `replace` in OCaml, for bench/lang_gc.py: the longest operation, CPU time. *)
type leaf = { x : int; y : int; z : int }
type element = { mutable leaf : leaf; a : int; b : int; c : int }

let elements = 800_000
let ops = 4_000_000
let runs = 3

let element i = { leaf = { x = i; y = 2; z = 3 }; a = 4; b = 5; c = 6 }

let run () =
  Random.init 1;
  let list = Array.init elements element in
  Gc.full_major ();
  let live = (Gc.stat ()).Gc.live_words in
  let longest = ref 0. and most = ref 0 in
  for i = 1 to ops do
    let start = Sys.time () in
    list.(Random.int elements) <- element i;
    let a = list.(Random.int elements) and b = list.(Random.int elements) in
    let leaf = a.leaf in
    a.leaf <- b.leaf;
    b.leaf <- leaf;
    let took = Sys.time () -. start in
    if took > !longest then longest := took;
    if i mod 10_000 = 0 then most := max !most (Gc.quick_stat ()).Gc.heap_words
  done;
  (!longest, float !most /. float live)

let () =
  let all = List.init runs (fun _ -> run ()) in
  Printf.printf "peer OCaml %s\n" Sys.ocaml_version;
  Printf.printf "longest_run_us %.1f\n" (1e6 *. List.fold_left (fun m (l, _) -> min m l) infinity all);
  Printf.printf "heap_over_live %.2f\n" (List.fold_left (fun m (_, o) -> max m o) 0. all)
