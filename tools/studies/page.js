"use strict";
const study = JSON.parse(document.getElementById("study").textContent);
const query = new URLSearchParams(location.search);
const find = (name) => document.querySelector(name);
const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
const frame = () => new Promise((done) => requestAnimationFrame(done));
const words = study.answers.length > 0; // answers are words and not one of the options
const sides = study.sides;
const shown = sides.map((side) => side[0].toUpperCase() + side.slice(1));
const rows = [];
let sitting = 0, worker = "", respond = null, running = false;

function show(name) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
}

function problem(text) {
  running = false;
  find("#problem p").textContent = text;
  show("problem");
}

// An answer is a position: of an option, or of a word to answer with. Clicks and keys count while one is awaited.
const answered = () => new Promise((done) => { respond = (position) => { respond = null; done(position); }; });

document.addEventListener("keydown", (event) => {
  if (!respond || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const trial = !find("#trial").hidden, count = trial ? sides.length : Object.keys(study.background).length;
  let position = Number(event.key) - 1;
  if (count === 2 && event.key.startsWith("Arrow")) position = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  const initial = sides.findIndex((word) => word[0] === event.key.toLowerCase());
  if (words && trial && initial >= 0) position = initial;
  if (!Number.isInteger(position) || position < 0 || position >= count) return;
  event.preventDefault();
  respond(position);
});

function button(text, key, position) {
  const made = document.createElement("button");
  const hint = document.createElement("kbd");
  made.type = "button";
  hint.textContent = key;
  made.append(text, hint);
  made.onclick = () => { made.blur(); respond?.(position); };
  return made;
}

function layOut() {
  const stage = find("#stage");
  stage.classList.toggle("silent", !study.sound);
  find("#given").hidden = !study.condition;
  find("#answers").hidden = !words;
  find("#feedback").hidden = !study.feedback;
  for (let i = 0; i < study.options; i++) {
    const option = document.createElement("div"), place = document.createElement("div");
    option.className = "option";
    place.className = "frame";
    option.append(place);
    if (!words) {
      option.append(button(shown[i], study.options === 2 ? "←→"[i] : `${i + 1}`, i));
      if (!study.sound) place.onclick = () => respond?.(i);
    }
    stage.append(option);
  }
  if (words) find("#answers").append(...shown.map((word, i) => button(word, word[0], i)));
  addEventListener("resize", fit);
  fit();
}

// Pictures get the largest whole factor that fits the window, up to the one that the study states, or are reduced.
// A narrow window has two columns and the input above them; otherwise all is in one line.
function fit() {
  const [width, height] = study.size, gap = 17, border = 6, given = study.condition ? 1 : 0;
  const room = document.documentElement.clientWidth - 2 * gap;
  const across = (columns) => room / columns - gap - border;
  const above = study.options + given > 2 && across(study.options + given) < Math.min(200, width);
  const columns = above ? 2 : study.options + given;
  const lines = above ? Math.ceil(study.options / 2) + given : 1;
  const texts = 150 + (words ? 60 : 55 * (lines - (above ? given : 0))) + (study.feedback ? 45 : 0);
  const down = Math.max(120, (innerHeight - texts) / lines - gap - border);
  let factor = Math.min(study.factor, across(columns) / width, down / height);
  if (factor > 1) factor = Math.floor(factor);
  const style = document.documentElement.style;
  style.setProperty("--columns", columns);
  style.setProperty("--width", `${Math.floor(width * factor)}px`);
  style.setProperty("--height", `${Math.floor(height * factor)}px`);
  find("#stage").classList.toggle("above", above);
  find("#stage").classList.toggle("whole", study.whole && factor >= 1);
}

async function load(name) {
  if (/\.(mp4|webm)$/.test(name)) {
    const video = document.createElement("video");
    Object.assign(video, { loop: true, muted: !study.sound, controls: study.sound, playsInline: true });
    video.preload = "auto";
    video.setAttribute("controlslist", "nodownload nofullscreen");
    video.src = `media/${name}`;
    await new Promise((done, failed) => {
      video.onloadeddata = done;
      video.onloadedmetadata = () => setTimeout(done, 3000); // some phones load the rest only when it is played
      video.onerror = failed;
    });
    video.onplay = () => { // with sound, one at a time
      for (const other of document.querySelectorAll("video")) if (study.sound && other !== video) other.pause();
    };
    return video;
  }
  const picture = new Image();
  picture.alt = "";
  picture.draggable = false;
  picture.src = `media/${name}`;
  await picture.decode();
  return picture;
}

function prepare(trial) {
  const loaded = trial && Promise.all([...trial.options, ...(trial.condition ? [trial.condition] : [])].map(load));
  loaded?.catch(() => {}); // told when the trial comes
  return loaded;
}

async function ask(trial, number, media) {
  const stage = find("#stage"), options = [...document.querySelectorAll(".option")];
  const check = "check" in trial;
  options.forEach((option, i) => option.firstChild.replaceChildren(...media.slice(i, i + 1)));
  find("#given .frame").replaceChildren(...media.slice(study.options));
  const asked = check ? [["check", `Attention check: please choose “${shown[trial.check]}”.`]]
    : Object.entries(study.questions);
  let position, limit;
  for (const [name, text] of asked) {
    find("#question").textContent = text;
    await wait(study.pause); // so that a double click does not answer two questions
    await frame();
    if (position === undefined) { // the first question
      stage.classList.remove("hidden");
      if (!study.sound) document.querySelectorAll("video").forEach((video) => video.play().catch(() => {}));
      if (study.seconds > 0 && !check) limit = setTimeout(() => stage.classList.add("hidden"), 1000 * study.seconds);
    }
    const start = performance.now();
    position = await answered();
    record({
      trial: number, practice: trial.practice ? 1 : 0, question: name, images: trial.options.join(" "),
      side: words ? "" : sides[position], answer: words || check ? sides[position] : trial.options[position],
      ms: Math.round(performance.now() - start),
    });
  }
  clearTimeout(limit);
  if ("truth" in trial) await tell(position, trial.truth, options);
  for (const video of document.querySelectorAll("video")) video.pause();
  stage.classList.add("hidden");
}

async function tell(position, truth, options) {
  find("#stage").classList.remove("hidden");
  find("#feedback").textContent = `${position === truth ? "Right" : "Wrong"}: the real one is on the ${sides[truth]}.`;
  options.forEach((option, i) => option.classList.add(i === truth ? "right" : "wrong"));
  await wait(study.feedback_seconds);
  find("#feedback").textContent = "";
  options.forEach((option) => option.classList.remove("right", "wrong"));
}

function record(row) {
  rows.push({ sitting, worker, study: study.study, ...row });
}

const file = () => `answers-${study.study}-${sitting}-${worker}.csv`;

function save() {
  const lines = [study.columns, ...rows.map((row) => study.columns.map((column) => row[column]))];
  const link = document.createElement("a");
  const text = lines.map((line) => line.join(",") + "\n").join("");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = file();
  link.click();
}

async function run() {
  const trials = study.sittings[sitting - 1], practice = trials.filter((trial) => trial.practice).length;
  running = true;
  let next = prepare(trials[0]);
  if (study.about) {
    const names = Object.keys(study.background);
    find("#about h1").textContent = study.about;
    find("#about .row").append(...names.map((name, i) => button(study.background[name], `${i + 1}`, i)));
    show("about");
    const start = performance.now(), position = await answered();
    record({ trial: 0, practice: 0, question: "background", images: "", side: "", answer: names[position],
      ms: Math.round(performance.now() - start) });
  }
  layOut();
  show("trial");
  for (const [index, trial] of trials.entries()) {
    const [kind, count, total] = index < practice ? ["Practice", index + 1, practice]
      : ["Trial", index + 1 - practice, trials.length - practice];
    find("#progress").textContent = `${kind} ${count} of ${total}`;
    find("progress").value = index / trials.length;
    let media;
    try {
      media = await next;
    } catch {
      return problem("A picture or video could not be loaded. Please check your connection and load the page again.");
    }
    next = prepare(trials[index + 1]);
    await ask(trial, index + 1, media);
  }
  running = false;
  try { localStorage.setItem(`${study.study} ${worker}`, "done"); } catch { /* storage may be switched off */ }
  find("#file").textContent = file();
  show("end");
  save();
}

function begin(event) {
  event.preventDefault();
  worker = find("#worker").value;
  let done = null;
  try { done = localStorage.getItem(`${study.study} ${worker}`); } catch { /* storage may be switched off */ }
  if (done) return problem(`${worker} has already taken part in this study. Thank you.`);
  run();
}

const count = study.sittings.length;
sitting = query.has("sitting") ? Number(query.get("sitting")) : 1 + Math.floor(Math.random() * count);
document.title = find("#start h1").textContent = study.title;
for (const text of study.instructions) {
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  find("#instructions").append(paragraph);
}
const keys = document.createElement("p");
const named = words ? shown.map((word) => word[0]).join(" and ") : study.options === 2 ? "← and →"
  : `1 to ${study.options}`;
keys.textContent = `Answer with a click or a touch, or with the keys ${named}.`;
find("#instructions").append(keys);
find("#worker").value = query.get("worker") ?? "";
find("form").onsubmit = begin;
find("#again").onclick = save;
addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
if (Number.isInteger(sitting) && sitting >= 1 && sitting <= count) show("start");
else problem(`There is no sitting ${query.get("sitting")}: expected 1 to ${count}.`);
