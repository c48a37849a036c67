// The pages of practice: each custom element comes alive where the page has one.
import { AnswerForm } from "./answer-form.js";
import { CodeEditor } from "./code-editor.js";
import { CodeDiff, CodeView } from "./code-view.js";
import { InterleavingSteps } from "./interleaving.js";
import { InterviewClock } from "./interview-clock.js";
import { connectInterview } from "./interview-page.js";
import { LiveSubmission } from "./live-submission.js";
import { PipelineSteps } from "./pipeline-steps.js";
import { enrich } from "./rich.js";
import { connectSelfReviews } from "./self-review.js";
import { ReplayPlayer } from "./replay-player.js";
import { RoomChat } from "./room-chat.js";
import { SharedEditor } from "./shared-editor.js";
import { SplitView } from "./split-view.js";
import { TraceViewer } from "./trace-viewer.js";
import { connectWorkbench } from "./workbench.js";

customElements.define("split-view", SplitView);
customElements.define("answer-form", AnswerForm);
customElements.define("code-editor", CodeEditor);
customElements.define("shared-editor", SharedEditor);
customElements.define("code-view", CodeView);
customElements.define("code-diff", CodeDiff);
customElements.define("live-submission", LiveSubmission);
customElements.define("interleaving-steps", InterleavingSteps);
customElements.define("pipeline-steps", PipelineSteps);
customElements.define("trace-viewer", TraceViewer);
enrich(document);
connectWorkbench();
connectSelfReviews();
connectInterview();
customElements.define("room-chat", RoomChat);
customElements.define("replay-player", ReplayPlayer);
// Last: when time is up it asks the editor to save.
customElements.define("interview-clock", InterviewClock);
