(function (mfca) {
  "use strict";
})((globalThis.mfca = globalThis.mfca || {}));
